"""What the wall clocks of the world say about hand-offs, told without the program under test.

Reads a folder of TZif files (PYTHONTZPATH) and prints, for every zone and every jump of its clock from 2020 to 2040,
rotations around the jump with the hand-offs to be expected, one JSON object a line. Two definitions, by search and
without any notion of gaps and folds, are all it knows:

  first(w)  the first instant at which the clock shows w or later;
  last(w)   the instant after which the clock never shows anything earlier than w again.
"""

import calendar
import json
import os
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

WEEK = 7 * 86_400
EPOCH = datetime(1970, 1, 1)
FROM = int(datetime(2019, 6, 1, tzinfo=timezone.utc).timestamp())
UNTIL = int(datetime(2041, 8, 1, tzinfo=timezone.utc).timestamp())
FIRST_YEAR, LAST_YEAR = 2020, 2040
MINUTE = timedelta(minutes=1)


def seconds(wall):
    """A wall time as if the clock were the one of UTC."""
    return int((wall - EPOCH).total_seconds())


def segments(zone):
    """(from, until, offset) of every stretch in which the clock runs evenly, in order."""

    def offset(at):
        return int(datetime.fromtimestamp(at, zone).utcoffset().total_seconds())

    found = []
    begins, current = FROM, offset(FROM)
    for week in range(FROM, UNTIL, WEEK):
        if offset(week + WEEK) == current:
            continue
        low, high = week, week + WEEK
        while high - low > 1:
            middle = (low + high) // 2
            if offset(middle) == current:
                low = middle
            else:
                high = middle
        found.append((begins, high, current))
        begins, current = high, offset(high)
        assert offset(week + WEEK) == current, "two jumps within a week"
    found.append((begins, UNTIL, current))
    return found


class Clock:
    """A clock near one of its jumps."""

    def __init__(self, stretches):
        self.stretches = stretches

    def first(self, wall):
        wanted = seconds(wall)
        for begins, ends, offset in self.stretches:
            if wanted - offset < ends:
                return max(begins, wanted - offset)
        raise ValueError(wall)

    def last(self, wall):
        wanted = seconds(wall)
        for begins, ends, offset in reversed(self.stretches):
            # Somewhere in this stretch the clock shows something earlier than `wall`.
            if begins + offset < wanted:
                return min(ends, wanted - offset)
        raise ValueError(wall)


def months_later(start, months):
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return start.replace(year=year, month=month + 1, day=day)


def turn(start, every, length, n):
    if every == "hour":
        return start + timedelta(hours=n * length)
    if every == "day":
        return start + timedelta(days=n * length)
    if every == "week":
        return start + timedelta(weeks=n * length)
    return months_later(start, n * length)


def handoffs(clock, every, length, start, turns):
    """Where each turn begins; of turns that begin at the same instant all but the last have no length."""
    begins = {}
    for n in range(turns):
        begins[clock.first(turn(start, every, length, n))] = n
    ends = clock.first(turn(start, every, length, turns))
    expect = sorted([n, at * 1000] for at, n in begins.items() if at < ends)
    return {"every": every, "length": length, "start": start.strftime("%Y-%m-%d"), "handoff": start.strftime("%H:%M"),
            "from": expect[0][1], "until": ends * 1000, "expect": expect}


def windows(clock, day, begins, ends):
    """The spans of a daily window, around a day."""
    spans = []
    for n in range(-3, 4):
        from_day = day + timedelta(days=n)
        until_day = from_day + timedelta(days=0 if ends > begins else 1)
        spans.append([clock.first(datetime.combine(from_day, begins)), clock.last(datetime.combine(until_day, ends))])
    joined = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and begin <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    # A range in which every window that could count is among those above.
    since = clock.first(datetime.combine(day - timedelta(days=1), datetime.min.time()))
    until = clock.last(datetime.combine(day + timedelta(days=2), datetime.min.time()))
    cut = [[max(a, since) * 1000, min(b, until) * 1000] for a, b in joined if a < until and b > since]
    return {"window": [begins.strftime("%H:%M"), ends.strftime("%H:%M")], "from": since * 1000, "until": until * 1000,
            "start": (day - timedelta(days=9)).strftime("%Y-%m-%d"), "expect": cut}


def cases(stretches, i):
    before, after = stretches[i - 1], stretches[i]
    at = after[0]
    clock = Clock(stretches[max(0, i - 3):i + 4])
    walls = sorted(EPOCH + timedelta(seconds=at + offset) for offset in (before[2], after[2]))
    low, high = (wall.replace(second=0) for wall in walls)
    middle = low + (high - low) // 2
    middle = middle.replace(second=0, microsecond=0)
    day = low.date()
    for wall in sorted({low, middle, high - MINUTE, high, datetime.combine(day, datetime.min.time())}):
        yield handoffs(clock, "day", 1, wall - timedelta(days=3), 7)
        yield handoffs(clock, "day", 2, wall - timedelta(days=4), 4)
        yield handoffs(clock, "week", 1, wall - timedelta(weeks=1), 3)
        yield handoffs(clock, "month", 1, months_later(wall, -1), 3)
    for wall in sorted({low, middle}):
        yield handoffs(clock, "hour", 1, wall - timedelta(hours=30), 60)
        yield handoffs(clock, "hour", 5, wall - timedelta(hours=30), 12)
    clocks = [(datetime.min.replace(hour=22), datetime.min.replace(hour=6)), (low, low), (low, high), (middle, high),
              (low, middle), (high, middle), (middle, middle)]
    for begins, ends in sorted({(a.time(), b.time()) for a, b in clocks}):
        yield windows(clock, day, begins, ends)


def main():
    folder = os.environ["PYTHONTZPATH"]
    same_clock = {}
    for root, _, files in os.walk(folder):
        for file in files:
            name = os.path.relpath(os.path.join(root, file), folder).replace(os.sep, "/")
            same_clock.setdefault(tuple(segments(ZoneInfo(name))), []).append(name)
    for stretches, names in same_clock.items():
        jumps = [i for i in range(1, len(stretches))
                 if FIRST_YEAR <= datetime.fromtimestamp(stretches[i][0], timezone.utc).year <= LAST_YEAR]
        found = [case for i in jumps for case in cases(stretches, i)]
        at = [stretches[i][0] * 1000 for i in jumps]
        print(json.dumps({"zones": sorted(names), "jumps": at, "cases": found}, separators=(",", ":")))


main()
