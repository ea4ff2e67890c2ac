"""A project file says once what a list always needs: the same result as the options, said aloud, and never guessed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from tests.cli.books import GOOD, HEADERS, PLAN

import ratemod as rm
from ratemod.cli import main
from ratemod.errors import BookError
from ratemod.reading.project import find_project, load_project

# The heads under a header of the branch's own, the limit in 万元 that no header states, no factor for accidents.
ODD = ("保单号", "企业名称", "行业", "规模", "今年多少人", "每人限额", "事故系数", "起保日期")
PREMIUM_FEN = 3_822_000 + 13_608_000 + 176_400 + 437_400_000  # as tests.cli.books works them out


def odd_list(path: Path, heads: str = "今年多少人") -> Path:
    headers = [heads if text == "今年多少人" else text for text in ODD]
    rows = [[*row[:5], row[5] // 10000, row[6], row[7].isoformat()] for row in GOOD]
    rows = [[*map(str, row[:1]), "甲公司", *map(str, row[2:])] for row in rows]
    path.write_text("\n".join(",".join(row) for row in (headers, *rows)) + "\n", encoding="utf-8")
    return path


PROJECT = """\
# what the branch always says
plan = "tiny"
language = "en"

[profile."某经纪".columns]
"今年多少人" = "投保人数"  # theirs

[profile."某经纪".units]
"每人限额" = "万元"

[profile.all]
output = { format = "csv" }
columns = { "今年多少人" = "heads", "保额" = "-" }
units = { limit_yuan = "万元" }
"""


@pytest.fixture
def branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plan, a project file and a list, and the working directory."""
    folder = tmp_path / "branch"
    shutil.copytree(PLAN, folder / "tiny")
    (folder / "ratemod.toml").write_text(PROJECT, encoding="utf-8")
    odd_list(folder / "list.csv")
    monkeypatch.chdir(folder)
    return folder


def test_a_profile_is_as_good_as_the_options(branch, capsys):
    options = ["--columns", "今年多少人=heads", "--units", "limit_yuan=万元", "--lang", "en", "--plan", "tiny"]
    assert main(["rate", "list.csv", "-o", "a.csv", "--no-project", *options]) == 0
    assert "Project file" not in capsys.readouterr().err
    assert main(["rate", "list.csv", "-o", "b.csv", "--profile", "某经纪"]) == 0
    out, err = capsys.readouterr()
    assert "Project file ratemod.toml, profile 某经纪: plan" in err and "今年多少人 → 投保人数" in err
    assert "ratemod.toml[某经纪]" in out
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    one, two = (json.loads(Path(f"{name}.csv.manifest.json").read_text("utf-8"))["run"] for name in "ab")
    assert one == two
    assert main(["rate", "list.csv", "-o", "c.csv", "--profile", "某经纪", "--units", "每人限额=元"]) == 3
    assert "the command line goes before it: --units" in capsys.readouterr().err
    three = json.loads(Path("c.csv.manifest.json").read_text("utf-8"))["run"]
    assert three != one and three["units"] == {} and one["units"] == {"limit_yuan": "10000"}


def test_the_money_is_that_of_the_list_in_yuan(branch):
    project = rm.load_project(profile="某经纪")
    rated = rm.rate(rm.read_book("list.csv", project.plan, **project.reading()), project.plan, lang="en")
    assert int(sum(rated.table["premium_fen"].to_pylist())) == PREMIUM_FEN


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_streamed_list_obeys_it_too(branch, suffix, capsys):
    import pandas as pd

    if suffix == "parquet":
        pd.read_csv("list.csv").to_parquet("list.parquet")
    assert main(["rate", f"list.{suffix}", "-o", "made.parquet", "--profile", "某经纪", "--receipt", "r.json"]) == 0
    rows = pd.read_parquet("made.parquet")
    assert int(rows.premium_fen.sum()) == PREMIUM_FEN
    assert "今年多少人 → 投保人数" in json.loads(Path("r.json").read_text("utf-8"))["project"]


def test_every_command_that_reads_a_list_obeys_it(branch, capsys):
    pricing = ["--profile", "某经纪"]
    for words in (
        ["explain", "list.csv", "P001"],
        ["compare", "list.csv", "--with", "tiny"],
        ["what-if", "list.csv", "--set", "tables.base_rate[mine, small].value=0.003"],
        ["registers", "controllable", "list.csv"],
    ):
        code = main([*words, *pricing])
        err = capsys.readouterr().err
        assert code in (0, 1, 3) and "Project file ratemod.toml" in err, err
        assert "RM301" not in err and "RM224" not in err, err  # heads were found


def test_the_nearest_file_is_found_and_its_folder_is_where_its_paths_begin(branch, capsys, monkeypatch):
    (branch / "2026" / "01").mkdir(parents=True)
    monkeypatch.chdir(branch / "2026" / "01")
    assert main(["rate", "../../list.csv", "--profile", "all"]) == 0
    assert "../../ratemod.toml" in capsys.readouterr().err
    assert (branch / "list-priced.csv").exists()
    (branch / "2026" / "ratemod.toml").write_text('plan = "../tiny"\nlanguage = "zh"\n', encoding="utf-8")
    assert main(["rate", "../../list.csv"]) == 1
    assert "项目文件 ../ratemod.toml：方案" in capsys.readouterr().err


def test_it_is_not_looked_for_beyond_home_or_where_everybody_writes(tmp_path, monkeypatch):
    low = tmp_path / "a" / "b"
    low.mkdir(parents=True)
    (tmp_path / "ratemod.toml").write_text("")
    monkeypatch.setenv("HOME", "/nowhere")
    assert find_project(low) == tmp_path / "ratemod.toml"
    monkeypatch.setenv("HOME", str(tmp_path / "a"))
    assert find_project(low) is None
    monkeypatch.setenv("HOME", "/nowhere")
    tmp_path.chmod(0o777)
    assert find_project(low) is None
    assert find_project(tmp_path) == tmp_path / "ratemod.toml"


def test_a_header_that_is_spelled_rightly_again_needs_no_mapping(branch, capsys):
    odd_list(Path("list.csv"), heads="投保人数")
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 0
    assert "RM224" not in capsys.readouterr().err
    assert main(["rate", "list.csv", "--profile", "某经纪", "--columns", "今年多少人=heads"]) == 1
    assert "RM224" in capsys.readouterr().err


def test_a_list_that_states_another_unit_is_refused(branch, capsys):
    text = Path("list.csv").read_text("utf-8")
    Path("list.csv").write_text(text.replace("每人限额", "每人限额（元）", 1), encoding="utf-8")
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 1
    assert "RM412" in capsys.readouterr().err
    Path("list.csv").write_text("单位：元\n" + text, encoding="utf-8")
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 1
    assert "RM412" in capsys.readouterr().err
    Path("list.csv").write_text("单位：万元\n" + text, encoding="utf-8")
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 0


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ("pln = 'plan'\n", "RM101", "ratemod.toml:1 unknown key 'pln'; did you mean 'plan'"),
        ("plan = 3\n", "RM103", "ratemod.toml:1"),
        ("business = 'renewals'\n", "RM104", "did you mean 'renewal'"),
        ("\n[output]\nformat = 'docx'\nfoldr = 'x'\n", "RM104", "ratemod.toml:4"),
        ("[profile.a]\nlanguage = 'cn'\n", "RM104", "ratemod.toml:2"),
        ("profile = 3\n", "RM103", "ratemod.toml:1"),
        ("columns = ['a']\n", "RM103", "ratemod.toml:1"),
        ("[columns]\n'人 数' = 'heads'\n'人数' = 'limit_yuan'\n", "RM413", ""),
        ("[columns]\n'今年多少人' = 'hads'\n", "RM223", "did you mean 'heads'"),
        ("[units]\nheads = '美元'\n", "RM411", ""),
        ("[units]\nhads = '人'\n", "RM410", "did you mean 'heads'"),
        ("[fill]\n'行业' = '矿山业'\n", "RM452", ""),
        ("[fill]\nsectr = '矿山'\n", "RM451", "did you mean 'sector'"),
        ("[fill]\nsector = '矿山'\n'行业' = '交通运输'\n", "RM413", ""),
        ("[fill]\nheads = nan\n", "RM016", "ratemod.toml:2"),
        ("[fill]\nheads = 1e999999\n", "RM016", "ratemod.toml:2"),
        ("[fill]\nheads = [1]\n", "RM103", "ratemod.toml:2"),
        ("a = " + "[" * 3000 + "]" * 3000, "RM024", ""),
        ("plan = 'plan", "RM107", ""),
        ("[columns]\nx = 'a'\nx = 'b'\n", "RM107", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(branch, capsys, content, code, said):
    Path("ratemod.toml").write_text(content, encoding="utf-8")
    odd_list(Path("list.csv"), heads="投保人数")
    assert main(["rate", "list.csv", "--plan", "tiny", "--lang", "en"]) == 1
    err = capsys.readouterr().err
    assert code in err and said in err and "RM39" not in err, err
    assert main(["rate", "list.csv", "--plan", "tiny", "--lang", "zh", "--no-project"]) == 3  # 40 yuan is no limit


def test_all_that_is_wrong_is_said_at_once(branch, capsys):
    Path("ratemod.toml").write_text("pln = 'x'\n[output]\nformat = 'doc'\n[profile.a]\nunit = {}\n", encoding="utf-8")
    assert main(["rate", "list.csv", "--plan", "tiny", "--lang", "zh"]) == 1
    err = capsys.readouterr().err
    assert [f"ratemod.toml:{line} " in err for line in (1, 3, 5)] == [True] * 3
    assert "--no-project" in err


def test_a_file_that_is_none_is_refused_by_name_and_never_waited_for(branch, capsys):
    def refused(code: str) -> None:
        assert main(["rate", "list.csv", "--plan", "tiny", "--lang", "en"]) == 1
        err = capsys.readouterr().err
        assert code in err and "--no-project" in err and "RM39" not in err, err

    path = Path("ratemod.toml")
    path.write_bytes('plan = "方案"\n'.encode("gb18030"))
    refused("RM022")
    path.write_bytes(b"\xff\xfe" + "plan = 'plan'".encode("utf-16-le"))
    refused("RM022")
    path.unlink()
    path.mkdir()
    refused("RM018")
    path.rmdir()
    os.mkfifo(path)
    refused("RM018")
    path.unlink()
    path.symlink_to(path.name)
    refused("RM017")
    path.unlink()
    path.symlink_to("nowhere.toml")
    refused("RM017")
    if os.geteuid():
        path.unlink()
        path.write_text("")
        path.chmod(0)
        refused("RM017")


def test_a_byte_order_mark_and_an_empty_file_are_no_matter(branch, capsys):
    path = Path("ratemod.toml")
    path.write_bytes(b"\xef\xbb\xbf" + PROJECT.replace("\n", "\r\n").encode())
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 0
    path.write_bytes(b"")
    assert main(["rate", "list.csv"]) == 2
    assert "--plan" in capsys.readouterr().err


def test_profiles_and_files_that_are_not_there_are_named(branch, capsys):
    assert main(["rate", "list.csv", "--profile", "某经济", "--lang", "en"]) == 1
    assert "RM415" in (err := capsys.readouterr().err) and "did you mean '某经纪'" in err
    assert main(["rate", "list.csv", "--plan", "tiny", "--project", "none.toml", "--lang", "en"]) == 1
    assert "RM017" in capsys.readouterr().err
    assert main(["rate", "list.csv", "--plan", "tiny", "--no-project", "--profile", "a", "--lang", "en"]) == 1
    assert "RM414" in capsys.readouterr().err
    assert main(["rate", "list.csv", "--no-project", "--project", "ratemod.toml", "--lang", "en"]) == 2


def test_what_is_remembered_is_written_and_works(branch, capsys):
    before = Path("ratemod.toml").read_text("utf-8")
    asked = ["rate", "list.csv", "--profile", "新的", "--columns", "今年多少人=投保人数", "--units", "每人限额=万元"]
    assert main([*asked, "--remember"]) == 0
    err = capsys.readouterr().err
    assert "Kept in ratemod.toml" in err and "今年多少人 = 投保人数" in err
    after = Path("ratemod.toml").read_text("utf-8")
    assert after.startswith(before.rstrip("\n")) and "# theirs" in after
    assert main(["rate", "list.csv", "-o", "a.csv", "--profile", "新的"]) == 0
    assert main(["rate", "list.csv", "-o", "b.csv", "--profile", "某经纪"]) == 0
    assert Path("a.csv").read_bytes() == Path("b.csv").read_bytes()
    capsys.readouterr()
    assert main([*asked, "--remember"]) == 0
    assert "nothing new" in capsys.readouterr().err and Path("ratemod.toml").read_text("utf-8") == after


def test_a_file_is_begun_where_there_is_none(branch, capsys):
    Path("ratemod.toml").unlink()
    asked = ["--plan", "tiny", "--columns", "今年多少人=投保人数,保额=-", "--fill", "事故系数=1", "--lang", "en"]
    assert main(["rate", "list.csv", *asked, "--remember"]) == 1  # the list has no 保额: nothing is kept
    assert not Path("ratemod.toml").exists()
    asked[3] = "今年多少人=投保人数"
    assert main(["rate", "list.csv", *asked, "--remember"]) == 3  # 40 yuan is no limit, but the headers are right
    said = rm.load_project().settings
    assert dict(said.columns) == {"今年多少人": "投保人数"} and dict(said.fill) == {"事故系数": "1"}


def test_remembering_nothing_is_wrong_usage(branch, capsys):
    assert main(["rate", "list.csv", "--remember", "--lang", "en"]) == 2
    assert main(["rate", "list.csv", "--remember", "--no-project", "--columns", "a=b", "--lang", "en"]) == 2


def test_a_near_header_says_how_to_keep_what_it_means(branch, capsys):
    header = "事故数"
    assert header not in HEADERS
    text = Path("list.csv").read_text("utf-8").replace("事故系数", "事故系数值", 1)
    Path("list.csv").write_text(text, encoding="utf-8")
    code = main(["rate", "list.csv", "--profile", "某经纪"])
    err = capsys.readouterr().err
    assert code == 0 or "--columns" in err
    assert main(["rate", "list.csv", "--profile", "某经纪", "--columns", "事故系数值=事故系数", "--remember"]) == 0
    assert main(["rate", "list.csv", "--profile", "某经纪", "-o", "b.csv"]) == 0


def test_a_pair_given_twice_is_refused_not_the_last_taken(branch, capsys):
    for words in (["--fill", "事故系数=1,事故系数=2"], ["--columns", "a=heads", "--columns", "a=-"],
                  ["--units", "每人限额=万元,每人限额=元"]):  # fmt: skip
        assert main(["rate", "list.csv", "--profile", "某经纪", *words]) == 1
        assert "RM413" in capsys.readouterr().err


def test_the_options_go_before_the_file_by_column_whatever_it_is_called(branch, capsys):
    Path("ratemod.toml").write_text(PROJECT + "[fill]\nheads = 5\n", encoding="utf-8")
    asked = ["rate", "list.csv", "--profile", "某经纪", "--fill", "投保人数=7"]
    assert main(asked) == 0
    assert "RM413" not in capsys.readouterr().err


def test_standing_sheets_are_of_workbooks_only(branch, capsys):
    import pandas as pd

    Path("ratemod.toml").write_text('sheet = "清单"\n' + PROJECT, encoding="utf-8")
    assert main(["rate", "list.csv", "--profile", "某经纪"]) == 0
    frame = pd.read_csv("list.csv", dtype=str)
    with pd.ExcelWriter("list.xlsx") as book:
        frame.to_excel(book, sheet_name="旧", index=False)
        frame.iloc[:2].to_excel(book, sheet_name="清单", index=False)
    assert main(["rate", "list.xlsx", "--profile", "某经纪", "-o", "x.csv"]) == 0
    assert json.loads(Path("x.csv.manifest.json").read_text("utf-8"))["counts"]["rows"] == 2
    assert main(["rate", "list.xlsx", "list.csv", "--profile", "某经纪", "--receipt", "r.json"]) in (0, 3)
    assert [part["records"] for part in json.loads(Path("r.json").read_text("utf-8"))["tables"]] == [2, 4]
    assert main(["rate", "list.csv", "--profile", "某经纪", "--sheet", "清单"]) == 1
    assert "RM214" in capsys.readouterr().err


def test_a_project_file_is_never_written_over(branch, capsys):
    assert main(["rate", "list.csv", "--profile", "某经纪", "-o", "ratemod.toml"]) == 1
    assert main(["rate", "list.csv", "--plan", "tiny", "--columns", "ratemod.toml", "--lang", "en"]) == 1
    assert Path("ratemod.toml").read_text("utf-8") == PROJECT


def test_a_corrected_list_of_several_files_is_merged_under_the_same_file(branch, capsys):
    import pandas as pd

    Path("ratemod.toml").write_text('sheet = "清单"\n' + PROJECT, encoding="utf-8")
    frame = pd.read_csv("list.csv", dtype=str)
    odd = frame.assign(**{"保单号": "Q" + frame["保单号"]})
    odd.loc[1, "今年多少人"] = "一百多"
    odd.to_excel("more.xlsx", sheet_name="清单", index=False)
    asked = ["rate", "list.csv", "more.xlsx", "--profile", "某经纪", "-o"]
    assert main([*asked, "p.csv"]) == 3
    text = Path("p-refused.csv").read_text("utf-8-sig")
    Path("mended.csv").write_text(text.replace("一百多", "120"), encoding="utf-8")
    capsys.readouterr()
    assert main([*asked, "m.csv", "--corrections", "mended.csv", "--sheet", "清单"]) == 0, capsys.readouterr().err
    assert "more.xlsx[清单]!3" in capsys.readouterr().out  # what was replaced is said
    inputs = json.loads(Path("m.csv.manifest.json").read_text("utf-8"))["inputs"]
    assert [item["name"] for item in inputs] == ["list.csv", "more.xlsx", "mended.csv"]
    assert main(["verify", "m.csv", "--book", "mended.csv"]) == 0
    assert main(["verify", "m.csv", "--book", "p.csv"]) == 1
    Path("mended.csv").write_text("x", encoding="utf-8")
    assert main(["verify", "m.csv", "--book", "mended.csv"]) == 1
    facts = json.loads(Path("m.csv.manifest.json").read_text("utf-8"))
    assert facts["counts"]["rows"] == 8 and facts["premium_fen"] == 2 * PREMIUM_FEN


@pytest.mark.parametrize("folder", ["/etc", "../elsewhere", "a/../../b"])
def test_an_output_outside_of_the_folder_of_the_project_is_refused(tmp_path, folder):
    (tmp_path / "ratemod.toml").write_text(f'[profile.a.output]\nfolder = "{folder}"\n', encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_project(tmp_path / "ratemod.toml")
    assert [(item.code, item.row) for item in caught.value.problems] == [("RM337", 2)]


@pytest.mark.parametrize(
    ("content", "row", "en", "zh"),
    [
        ('plan = "a"\nplan = "b"\n', 2, "stands twice", "出现两次"),
        ("plan = “a”\n", 1, "plain quotation marks", "半角引号"),
        ('plan ＝ "a"\n', 1, "half width", "半角等号"),
        ('\n方案 = "a"\n', 2, "stands in quotation marks", "中文名称须加半角引号"),
        ('plan = "a\n', 1, "not closed", "没有闭合"),
        ("plan: a\n", 1, "behind a name stands =", "名称之后"),
        ("plan = 2026-02-30\n", 1, "does not exist", "不存在的日期"),
        ('plan = "a" business = "new"\n', 1, "one line holds", "每行只能有一个"),
    ],
)
def test_a_file_that_is_no_toml_is_told_in_both_languages_with_its_line(tmp_path, content, row, en, zh):
    (tmp_path / "ratemod.toml").write_text(content, encoding="utf-8")
    with pytest.raises(BookError) as caught:
        load_project(tmp_path / "ratemod.toml")
    (problem,) = caught.value.problems
    assert (problem.code, problem.row) == ("RM107", row)
    assert en in problem.what("en") and zh in problem.what("zh") and "xpected" not in problem.what("zh")


@pytest.mark.parametrize("place, said, code, line", [
    ("plan", 'plan = "tinny"', "RM170", 2),
    ("columns", '"今年多少人" = "投保人头数"', "RM223", 6),
    ("columns", '"今年多少人" = "投保人数（万吨）"', "RM411", 6),
    ("units", '"每人限额" = "万吨"', "RM411", 9),
    ("units", '"每人上限额" = "万元"', "RM410", 9),
    ("fill", '"事故系数呢" = 1', "RM451", 12),
    ("fill", '"事故系数" = "很大"', "RM452", 12),
])  # fmt: skip
@pytest.mark.parametrize("profile", [False, True])
def test_a_word_that_is_wrong_is_told_with_its_line(branch, capsys, place, said, code, line, profile):
    lines = {
        "plan": 'plan = "tiny"',
        "columns": '"今年多少人" = "投保人数"',
        "units": '"每人限额" = "万元"',
        "fill": '"事故系数" = 1',
    }
    lines[place] = said
    head = "profile.north." if profile else ""
    text = "# of the branch\n{plan}\n\n"
    text += f"[{head}columns]\n# theirs\n{{columns}}\n\n[{head}units]\n{{units}}\n\n[{head}fill]\n{{fill}}\n"
    (branch / "ratemod.toml").write_text(text.format(**lines), encoding="utf-8")
    more = ["--profile", "north"] if profile else []
    assert main(["rate", "list.csv", "-o", "out.csv", "--lang", "zh", *more]) == 1
    told = capsys.readouterr().err
    assert f"{code} ratemod.toml:{line} " in told, told
