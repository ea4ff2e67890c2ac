"""When two spellings are the same: the one rule for levels, words and blanks, on both sides of every comparison."""

from __future__ import annotations

import functools
import re
import unicodedata

BLANKS = frozenset({"", "-", "—", "--", "——", "无数据", "n/a", "na", "nan", "null", "none", "nat", "<na>", "/", "\\"})
_INVISIBLE = re.compile("[\\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")
_HYPHENS = re.compile("[\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d]")

# Traditional characters of headers, levels and units, and the simplified ones that they are compared as.
_SIMPLE = str.maketrans(
    "仟佰拾萬億圓圆單計額幣為貨註噸輛畝頭臺時個間數號業險總證實產廠礦漁員賠償責終規級類別經濟營運輸織費稱區縣築劃續隱標準檢檔發電話"
    "編碼認護從資價務見學醫療傷殘給門開關據執獎懲戶歷報損災積場層車魚煙製過達還適應確預範圍無較長萊"
    "與專東兩嚴箇爲舉義書僅優會傳體傭脩內冊寫衝沖決減幾憑齣擊則彆辦動勢韆昇衛壓參蔘雙髮變隻檯颱閤衕後迴團糰國墜處備復複審傢賓"
    "對侷屬佈蓆並併廣歸當錄彔態釦摺擔擬擇斷術朮機權條鬆闆構覈測滿點煉菸狀現監蓋種稅籌籤簽係繫約紀練組細結絕統繼繳職聯緻艙錶觸"
    "訂訓記設証評識訴誠該誤說請調負財賬質貸貿賃賺趨轉軟輕載進連選釋鐵銀銷閉隊際隨僱頁頂項順須鬚頒領風飲館馬驗",
    "千百十万亿元元单计额币为货注吨辆亩头台时个间数号业险总证实产厂矿渔员赔偿责终规级类别经济营运输织费称区县筑划续隐标准检档发电话"
    "编码认护从资价务见学医疗伤残给门开关据执奖惩户历报损灾积场层车鱼烟制过达还适应确预范围无较长莱"
    "与专东两严个为举义书仅优会传体佣修内册写冲冲决减几凭出击则别办动势千升卫压参参双发变只台台合同后回团团国坠处备复复审家宾"
    "对局属布席并并广归当录录态扣折担拟择断术术机权条松板构核测满点炼烟状现监盖种税筹签签系系约纪练组细结绝统继缴职联致舱表触"
    "订训记设证评识诉诚该误说请调负财账质贷贸赁赚趋转软轻载进连选释铁银销闭队际随雇页顶项顺须须颁领风饮馆马验",
)


def visible(text: str) -> str:
    """Return a text without what cannot be seen at its ends and without zero-width characters inside.

    Examples
    --------
    >>> visible(" P1\\u200b ")
    'P1'
    """
    if text.isascii():
        return text.strip()
    return "".join(char for char in text if char.isspace() or not _INVISIBLE.match(char)).strip()


def folded(text: str) -> str:
    """Return what all spellings of one word have in common: width, case, blanks and hyphens do not count.

    Examples
    --------
    >>> folded(" Ａ 级") == folded("a级"), folded("Class 1 ") == folded("class 1")
    (True, True)
    """
    return _HYPHENS.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).casefold()


def simplified(text: str) -> str:
    """Return a text in simplified characters, as far as headers, levels and units have others.

    Examples
    --------
    >>> simplified("建築業")
    '建筑业'
    """
    return text if text.isascii() else text.translate(_SIMPLE)


@functools.lru_cache(maxsize=1 << 12)  # the levels of a list are few, and asked for once a block of rows
def same_level(text: str) -> str:
    """Return what all spellings of one level have in common: as `folded`, and either script counts the same.

    Examples
    --------
    >>> same_level("礦 山") == same_level("矿山")
    True
    """
    return simplified(folded(text))


def one_name(text: str) -> str:
    """Return the one form of a name: width, script and blanks do not tell insurers apart, letters' case is kept.

    Examples
    --------
    >>> one_name("ＡＢＣ財險 "), one_name("Songhua  Insurance")
    ('ABC财险', 'Songhua Insurance')
    """
    if text.isascii():
        return " ".join(text.split())
    return " ".join(simplified(unicodedata.normalize("NFKC", visible(text))).split())


def is_blank(text: str) -> bool:
    """Return whether a cell says that there is nothing: empty, ``/``, ``-``, 无数据, n/a.

    Examples
    --------
    >>> is_blank(" — "), is_blank("0")
    (True, False)
    """
    return folded(text) in BLANKS
