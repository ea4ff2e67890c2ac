"""One written form of what identifies a party: names, codes, accounts, telephones, addresses."""

from __future__ import annotations

import unicodedata


def canonical(said: str) -> str:
    """Return letters and digits alone, wide forms made plain, case folded; what people add for the eye is left out.

    Examples
    --------
    >>> canonical("6222 0001-2345") == canonical("６２２２０００１２３４５")
    True
    >>> canonical("白桦（吉林）服务有限公司") == canonical("白桦(吉林) 服务有限公司")
    True
    >>> canonical("Birch Co., Ltd.")
    'birchcoltd'
    """
    return "".join(char for char in unicodedata.normalize("NFKC", said).casefold() if char.isalnum())
