"""The accident-prevention fund: levy, duties, allocation, ledger, evaluation."""

from ratemod.face import show

show(__name__)
