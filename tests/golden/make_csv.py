#!/usr/bin/env python3
"""Writes csv_rows.csv with Python's csv module and csv_rows.json with what its reader makes of it.

Run: python3 tests/golden/make_csv.py
"""

import csv
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent
MESSAGES = [{"role": "system", "content": 'Say "no", or\nnothing.'}, {"role": "user", "content": "q, r"}]
ROWS = [
    ["prompt", "chosen", "rejected", "margin", "tie", "a column, of \"no\" use"],
    ["plain", "c", "r", "", "", ""],
    ["comma, and \"quotes\"", "two\nlines", "two\r\nlines", "0.5", "False", "x"],
    ["  spaces  ", "\ttab", "é 🫖 \u202eright-to-left", "2", "True", "y"],
    [json.dumps(MESSAGES), "c", json.dumps([{"role": "assistant", "content": "r"}]), "", "", ""],
    ["[brackets] are text", "\"", "\"\"", "", "", "\n"],
    ["ends with a quote\"", ",", ",,", "1e-3", "0", "'"],
]


def main() -> None:
    path = FOLDER / "csv_rows.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(ROWS)
    with path.open(newline="", encoding="utf-8") as file:
        read = list(csv.reader(file))
    assert read == ROWS
    golden = {"python": sys.version.split()[0], "rows": read}
    (FOLDER / "csv_rows.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
