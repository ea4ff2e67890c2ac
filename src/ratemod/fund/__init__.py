"""The accident-prevention fund: levy, duties, allocation, ledger, evaluation."""
