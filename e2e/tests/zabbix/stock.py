"""The script and the parameters of a media type that Zabbix comes with, out of the SQL that fills its database."""
import gzip
import json
import re
import sys

WORD = re.compile(r"E?'((?:[^'\\]|\\.|'')*)'|([^,)']+)", re.S)
PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
with gzip.open(sys.argv[1], "rt", encoding="utf-8", newline="") as file:
    text = file.read()


def unescaped(found):
    return PLAIN.get(found[1], found[1]) if found[1] else "'"


def rows(table):
    for head in re.finditer(r"INSERT INTO %s \(([^)]*)\) values \(" % table, text):
        at, values = head.end(), []
        while not values or text[at - 1] != ")":
            word = WORD.match(text, at)
            quoted = word[1]
            if quoted is None:
                values.append(word[2])
            elif word[0].startswith("E"):
                values.append(re.sub(r"\\(.)|''", unescaped, quoted, flags=re.S))
            else:
                values.append(quoted.replace("''", "'"))
            at = word.end() + 1
        yield dict(zip(head[1].split(","), values))


media = next(row for row in rows("media_type") if row["name"] == sys.argv[2])
parameters = [row for row in rows("media_type_param") if row["mediatypeid"] == media["mediatypeid"]]
print(json.dumps({"script": media["script"], "parameters": parameters}))
