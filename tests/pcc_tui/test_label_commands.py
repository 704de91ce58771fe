"""labels and report as their users run them: changes by hand survive, tables go out and back."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.clusters.view import SPECIAL
from tests.conftest import Pcc
from tests.support.apps import failure, write_records
from tests.support.clusters import (
    GROUP,
    SUBJECTS,
    cluster_of,
    clusters_file,
    document,
    leaf_by_photo,
    photo_name,
    photo_names,
    record,
    seen_by_photo,
    subject_records,
    title_by_photo,
)


def change_everything(pcc: Pcc, workspace: Path) -> dict[str, str]:
    """Change clusters in every way, and return the title each photo must now be under."""
    beach = cluster_of(workspace, photo_name("beach", 0))
    cake = cluster_of(workspace, photo_name("cake", 0))
    train = cluster_of(workspace, photo_name("train", 0))
    market = cluster_of(workspace, photo_name("market", 0))
    moved, off = photo_name("beach", 9), [photo_name("mountain", 1), photo_name("mountain", 2)]
    for command in (
        ("rename", beach, "Summers"),
        ("move", "--to", cake, moved),
        ("rename", cake, "Feasts"),
        ("merge", "--into", train, market),
        ("rename", train, "Abroad"),
        ("split", "--title", "On the ice", *off),
        ("lock", beach),
    ):
        done = pcc("labels", *command)
        assert done.returncode == 0, done.stderr
    wanted = dict.fromkeys(photo_names("beach"), "Summers")
    wanted |= dict.fromkeys([*photo_names("cake"), moved], "Feasts")
    wanted |= dict.fromkeys([*photo_names("train"), *photo_names("market")], "Abroad")
    return wanted | dict.fromkeys(off, "On the ice")


def test_changes_by_hand_survive_more_photos_and_a_new_clustering(
    pcc: Pcc, clustered: Path
) -> None:
    wanted = change_everything(pcc, clustered)
    assert title_by_photo(clustered).items() >= wanted.items()
    before = seen_by_photo(clustered)
    more = [
        record(f"2022/{made.rel_path[5:]}", str(made.caption).replace("The", "A"))
        for made in subject_records("beach", "dog")
    ]
    odd = "The beach, the cake and the train."
    write_records(clustered, *more, record("2022/odd.jpg", odd))
    report = document(pcc("cluster", "--json"))

    titles = title_by_photo(clustered)
    for title, least in (("Summers", 9), ("Feasts", 6), ("Abroad", 10), ("On the ice", 2)):
        photos = [path for path in wanted if wanted[path] == title]
        assert sum(titles[path] == title for path in photos) >= least
        assert title in titles.values()
    kept = [*photo_names("beach"), photo_name("mountain", 1), photo_name("mountain", 2)]
    assert all(titles[path] == wanted[path] for path in kept)  # locked, moved, split off
    newcomers = {titles[f"2022/{name[5:]}"] for name in photo_names("beach")}
    assert "Summers" not in newcomers  # a locked cluster takes nobody in
    assert "Summers (new)" in newcomers
    check_report(report, before, seen_by_photo(clustered))
    assert report["lost"] == []


def check_report(report: dict[str, Any], before: dict[str, str], after: dict[str, str]) -> None:
    """Compare a report with the clusters that people saw before and see now."""
    streams = Counter((before[path], after[path]) for path in before if before[path] != after[path])
    assert report["moved"] == streams.total()
    assert [count for *_, count in report["moves"]] == [n for _, n in streams.most_common(10)]
    old, new = ({*found.values()} - {*SPECIAL} for found in (before, after))
    assert report["kept"] == len(old & new)
    assert report["new"] == len(new - old)
    assert len(report["gone"]) == len(old - new)


def test_changes_outlive_the_clusters_and_the_vectors(pcc: Pcc, clustered: Path) -> None:
    wanted = change_everything(pcc, clustered)
    labels = (clustered / "labels.jsonl").read_bytes()
    (clustered / "clusters.jsonl").unlink()
    shutil.rmtree(clustered / "embeddings")
    report = document(pcc("cluster", "--json"))

    assert report["lost"] == []
    assert title_by_photo(clustered).items() >= wanted.items()
    assert (clustered / "labels.jsonl").read_bytes() == labels


def test_each_change_is_taken_back(pcc: Pcc, clustered: Path) -> None:
    before = title_by_photo(clustered)
    change_everything(pcc, clustered)
    told = [pcc("labels", "undo").stdout for _ in range(7)]

    assert [line.split()[2] for line in told] == [
        *("lock", "split", "rename", "merge", "rename", "move", "rename")
    ]
    assert title_by_photo(clustered) == before
    again = pcc("labels", "undo")
    assert again.returncode == 64
    assert "no change to take back" in again.stderr


def test_what_does_not_fit_is_refused(pcc: Pcc, clustered: Path) -> None:
    cake, train = (cluster_of(clustered, photo_name(subject, 0)) for subject in ("cake", "train"))
    pcc("labels", "lock", cake)
    group = document(pcc("labels", "list", "--json"))[0]
    twice = [node.title for node in clusters_file(clustered).nodes if GROUP in node.keywords]
    for refused, words in (
        (("move", "--to", cake, photo_name("train", 0)), "is locked"),
        (("move", "--to", train, photo_name("cake", 0)), "is locked"),
        (("move", "--to", train, "nowhere.jpg"), "no photo"),
        (("merge", "--into", train, train), "two clusters"),
        (("merge", "--into", train, "no caption"), "no cluster"),
        (("rename", train, " \n "), "empty"),
        (("rename", train, "x" * 201), "200 characters"),
        (("unlock", train), "not locked"),
        (("lock", "unclustered"), "no cluster"),
        (("rename", max(twice, key=twice.count), "Dogs"), "name one by its id"),
    ):
        done = pcc("labels", *refused)
        assert (done.returncode, done.stdout) == (64, ""), refused
        assert words in done.stderr
    assert document(pcc("labels", "list", "--json"))[0] == group
    assert (clustered / "labels.jsonl").read_bytes().count(b"\n") == 1


def read_table(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    text = path.read_text()
    reader = csv.DictReader(io.StringIO(text))
    rows = list(reader)
    assert len(rows) == text.count("\n") - 1
    return list(reader.fieldnames or ()), rows


def write_like_a_spreadsheet(path: Path, header: list[str], rows: list[dict[str, str]]) -> None:
    """Save with semicolons, a byte order mark and lines that end in two characters."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(("\ufeff" + out.getvalue()).encode())


def test_the_table_of_clusters_goes_out_and_comes_back(pcc: Pcc, clustered: Path) -> None:
    beach, cake = (cluster_of(clustered, photo_name(subject, 0)) for subject in ("beach", "cake"))
    pcc("labels", "rename", beach, "=HYPERLINK(1)")
    pcc("labels", "export")
    table = clustered / "labels_clusters.csv"
    same = document(pcc("labels", "import", table, "--json"))
    assert (same["changes"], same["refused"]) == ([], [])
    header, rows = read_table(table)
    assert same["rows"] == same["unchanged"] == len(rows)

    by_id = {row["cluster_id"]: row for row in rows}
    assert by_id[beach]["title"] == "'=HYPERLINK(1)"
    by_id[cake]["title"], by_id[cake]["locked"] = "Feasts", "YES"
    train = cluster_of(clustered, photo_name("train", 0))
    by_id[train]["merge_into"] = beach
    rows.append({**rows[0], "cluster_id": "1.2E+10"})
    write_like_a_spreadsheet(table, header, rows)
    done = document(pcc("labels", "import", table, "--json"))
    assert [refused["row"] for refused in done["refused"]] == [len(rows) + 1]
    assert "1.2E+10" in done["refused"][0]["reason"]
    assert (done["rows"], len(done["changes"])) == (len(rows), 3)
    expected = dict.fromkeys(photo_names("cake"), "Feasts")
    expected |= dict.fromkeys(photo_names("train"), "=HYPERLINK(1)")
    assert title_by_photo(clustered).items() >= expected.items()
    listed = document(pcc("labels", "list", "--json"))
    assert [each["cluster_id"] for each in listed if each["locked"]] == [cake]


def test_the_table_of_photos_goes_out_and_comes_back(pcc: Pcc, clustered: Path) -> None:
    pcc("labels", "export", "--table", "photos")
    table = clustered / "labels_photos.csv"
    header, rows = read_table(table)
    assert len(rows) == 60
    by_path = {row["rel_path"]: row for row in rows}
    target = cluster_of(clustered, photo_name("mountain", 0))
    by_path[photo_name("cake", 0)]["cluster_id"] = target
    for number in (1, 2):
        by_path[photo_name("cake", number)]["cluster_id"] = "new: Weddings"
    by_path[photo_name("cake", 3)]["rel_path"] = "lost.jpg"
    write_like_a_spreadsheet(table, header, rows)
    done = pcc("labels", "import", table)

    assert done.returncode == 0, done.stderr
    number = rows.index(by_path[photo_name("cake", 3)]) + 2
    assert f"refused: row {number}: there is no photo 'lost.jpg'" in done.stdout
    assert "3 changes from 60 rows, 56 unchanged, 1 refused" in done.stdout
    titles = title_by_photo(clustered)
    assert titles[photo_name("cake", 0)] == titles[photo_name("mountain", 0)]
    assert [titles[photo_name("cake", number)] for number in (1, 2)] == ["Weddings"] * 2
    assert titles[photo_name("cake", 3)] == titles[photo_name("cake", 4)]


def test_tables_of_json_go_out_and_come_back(pcc: Pcc, clustered: Path) -> None:
    for table, count in (("clusters", 8), ("photos", 60)):
        out = clustered / f"{table}.json"
        document(pcc("labels", "export", "--table", table, "--out", out, "--json"))
        rows = json.loads(out.read_text())
        assert len(rows) == count
        if table == "clusters":
            rows[0]["title"], rows[1]["locked"] = "Renamed", "perhaps"
        else:
            rows[0]["cluster_id"], rows[1]["cluster_id"] = "new: Alone", 7
        out.write_text(json.dumps(rows))
        done = document(pcc("labels", "import", out, "--json"))
        assert (len(done["changes"]), [each["row"] for each in done["refused"]]) == (1, [2])
    out.write_text("{")
    assert pcc("labels", "import", out).returncode == 64
    titles = title_by_photo(clustered)
    assert {"Renamed", "Alone"} <= set(titles.values())


def test_the_reports_hold_every_photo(pcc: Pcc, clustered: Path, sixty_photos: Path) -> None:
    write_records(clustered, failure(1))
    (sixty_photos / "never tried.jpg").write_bytes(
        (sixty_photos / photo_name("dog", 1)).read_bytes()
    )
    done = pcc("report", "--photos-dir", sixty_photos)
    assert done.returncode == 0, done.stderr
    summary = "60 captioned, 1 errors, 0 vocabulary fallbacks, 1 described"
    assert done.stdout.splitlines()[-1] == summary

    header, rows = read_table(clustered / "cluster_export.csv")
    assert ",".join(header) == "rel_path,cluster_id,cluster,chunk,label,status,distance,taken"
    found = leaf_by_photo(clustered)
    assert {row["rel_path"] for row in rows} == {*found, "IMG_00001.jpg", "never tried.jpg"}
    assert len(rows) == 62
    captions = {made.rel_path: made.caption for made in subject_records()}
    for row in rows:
        assert row["label"] == captions.get(row["rel_path"], row["label"])
        assert row["cluster_id"] == found.get(row["rel_path"], "")
    by_path = {row["rel_path"]: row for row in rows}
    assert by_path["IMG_00001.jpg"]["label"] == ""
    assert "landscape" in by_path["never tried.jpg"]["label"]
    assert by_path["never tried.jpg"]["status"] == ""
    parts = by_path[photo_name(GROUP, 0)]["cluster"].split(" / ")
    assert len(parts) == 2

    text = (clustered / "cluster_report.md").read_text()
    assert "60 captioned, 1 errors, 0 vocabulary fallbacks" in text
    headings = re.findall(r"^##+ (.*)$", text, re.MULTILINE)
    assert len(headings) == len(SUBJECTS) + 2 + 1  # a group of two, and `no caption`
    assert set(headings) - {"no caption"} <= set(captions.values())
    page = (clustered / "cluster_report.html").read_text()
    data = json.loads(re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)[0])
    assert {photo[0] for photo in data["photos"]} == set(by_path)
    assert page.count('id="picture-') > 50


def test_reports_stay_out_of_the_photos(pcc: Pcc, clustered: Path, sixty_photos: Path) -> None:
    before = sorted(sixty_photos.rglob("*"))
    inside = sixty_photos / "work"
    for command in (
        ("report", "--out", sixty_photos),
        ("report", "--out", sixty_photos / "2021" / ".."),
        ("labels", "export", "--out", sixty_photos / "labels.csv"),
        ("labels", "export", "--workspace", inside, "--captions-jsonl", "captions.jsonl"),
    ):
        done = pcc(*command, "--photos-dir", sixty_photos)
        assert done.returncode in (1, 64), command
        assert done.stderr.startswith("pcc: ")
    assert sorted(sixty_photos.rglob("*")) == before
