"""The level codes of the province: what every small integer of the generator stands for."""

from __future__ import annotations

from ratemod.vocabulary.codes.industry import SECTORS
from ratemod.vocabulary.codes.size_class import SIZES

STANDARDISATION = ("none", "level_3", "level_2", "level_1")
INTEGRITY = ("AA", "A", "B", "C", "dishonest")
HAZARD_STATES = ("none", "open", "overdue", "refused", "verified")
HAZARD_GRADES = ("general", "major")
SERVICES = (
    "training",
    "risk_assessment",
    "standardisation",
    "hazard_inspection",
    "emergency_drill",
    "technology",
    "other",
)
CAUSES = (
    "falls",
    "struck_by_object",
    "collapse",
    "lifting",
    "vehicle",
    "machinery",
    "electricity",
    "fire",
    "explosion",
    "poisoning",
    "drowning",
    "other",
)
KINDS = ("minor", "disability", "death")
BUSINESS = ("new", "renewal")
YES_NO = ("no", "yes")
MERITS = ("claim last term", "claim-free", "three terms claim-free")

# Prefecture level; 220581 is listed apart by the provincial notice.
DIVISIONS = ("220100", "220200", "220300", "220400", "220500", "220600", "220700", "220800", "222400", "220581")
DIVISION_NAMES = ("长春", "吉林", "四平", "辽源", "通化", "白山", "松原", "白城", "延边", "梅河口")

# All fictional.
INSURERS = ("birch", "redpine", "snowfield", "songhua", "tianchi", "changbai")
INSURER_NAMES = ("白桦示例财险", "红松示例财险", "雪原示例财险", "松花示例财险", "天池示例财险", "长白示例财险")
PROVIDERS = tuple(f"provider_{number:02d}" for number in range(1, 13))

# GB/T 4754-2017 classes that occur. Class 2672, making of fireworks, is absent: Jilin has had none since 2016. Sellers
# of fireworks carry the division of retail only, as no class of their own could be confirmed.
INDUSTRY_CODES = (
    ("0610", "0810", "0911", "0921", "1011", "1019", "1099"),
    ("2611", "2614", "2631", "5166", "5265", "5266", "5942"),
    ("52",),
    ("5411", "5421", "5431", "5435", "5439"),
    ("4710", "4720", "4790", "4812", "4813", "4910"),
    ("2671",),
    ("3211", "3212", "3216", "3221", "3231"),
    ("0411", "0412", "0422"),
)

__all__ = [
    "BUSINESS",
    "CAUSES",
    "DIVISIONS",
    "DIVISION_NAMES",
    "HAZARD_GRADES",
    "HAZARD_STATES",
    "INDUSTRY_CODES",
    "INSURERS",
    "INSURER_NAMES",
    "INTEGRITY",
    "KINDS",
    "MERITS",
    "PROVIDERS",
    "SECTORS",
    "SERVICES",
    "SIZES",
    "STANDARDISATION",
    "YES_NO",
]
