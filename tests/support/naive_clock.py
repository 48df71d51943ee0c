"""The legal clock once more, slow and simple, to test the real one against.

Written from the law file's text alone, without the code under test, without time zone data
and without a holiday library: days are stepped one by one, summer time is computed from the
last Sundays of March and October, Easter by Gauss's rule. Takes a plain dict of facts (aware
UTC times, booleans) and returns day, end, whether it is still open, and the reasons for
review by their codes.
Longer than others: it is read beside the law, in one go.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

ONE = timedelta(days=1)


class Answer(NamedTuple):
    """What the naive clock says."""

    deemed: date | None
    end: date | None
    review: frozenset[str]
    still_open: bool = False
    refused: bool = False


def last_sunday(year: int, month: int) -> date:
    found = date(year, month, 31)
    while found.weekday() != 6:
        found -= ONE
    return found


def local_day(at: datetime) -> date:
    bare = at.replace(tzinfo=None)
    summer_from = datetime.combine(last_sunday(at.year, 3), datetime.min.time()).replace(hour=1)
    summer_to = datetime.combine(last_sunday(at.year, 10), datetime.min.time()).replace(hour=1)
    hours = 2 if summer_from <= bare < summer_to else 1
    return (bare + timedelta(hours=hours)).date()


def easter(year: int) -> date:
    a, b, c = year % 19, year % 4, year % 7
    m, n = 24, 5  # Gauss's constants for 1900 to 2099
    d = (19 * a + m) % 30
    e = (2 * b + 4 * c + 6 * d + n) % 7
    if d == 29 and e == 6:
        return date(year, 4, 19)
    if d == 28 and e == 6 and (11 * m + 11) % 30 < 19:
        return date(year, 4, 18)
    return date(year, 3, 22) + timedelta(days=d + e)


_HOLIDAYS: dict[tuple[str, int], set[date]] = {}


def holidays_of(land: str, year: int) -> set[date]:
    if (land, year) in _HOLIDAYS:
        return _HOLIDAYS[land, year]
    sunday = easter(year)
    days = {
        date(year, 1, 1),
        sunday - 2 * ONE,
        sunday + ONE,
        date(year, 5, 1),
        sunday + 39 * ONE,
        sunday + 50 * ONE,
        date(year, 10, 3),
        date(year, 12, 25),
        date(year, 12, 26),
    }
    if land in ("BW", "BY", "ST"):
        days.add(date(year, 1, 6))
    if land == "BE" or (land == "MV" and year >= 2023):
        days.add(date(year, 3, 8))
    if land in ("BW", "BY", "HE", "NW", "RP", "SL"):
        days.add(sunday + 60 * ONE)
    if land == "SL":
        days.add(date(year, 8, 15))
    if land == "TH":
        days.add(date(year, 9, 20))
    if land in ("BB", "HB", "HH", "MV", "NI", "SN", "ST", "SH", "TH"):
        days.add(date(year, 10, 31))
    if land in ("BW", "BY", "NW", "RP", "SL"):
        days.add(date(year, 11, 1))
    if land == "SN":
        penance = date(year, 11, 22)
        while penance.weekday() != 2:
            penance -= ONE
        days.add(penance)
    if land == "BE":  # once each: 80 years after the war, 75 years after the uprising
        days |= {date(2025, 5, 8)} if year == 2025 else set()
        days |= {date(2028, 6, 17)} if year == 2028 else set()
    _HOLIDAYS[land, year] = days
    return days


def somewhere_a_holiday(land: str, day: date) -> bool:
    """Holidays of some municipalities only."""
    if land == "BY":
        return (day.month, day.day) in ((8, 15), (8, 8))
    return land in ("SN", "TH") and day == easter(day.year) + 60 * ONE


def works(land: str, day: date) -> bool:
    return day.weekday() not in (5, 6) and day not in holidays_of(land, day.year)


def roll(land: str, day: date) -> date:
    while not works(land, day):
        day += ONE
    return day


def after(day: date, count: int) -> date:
    for _ in range(count):
        day += ONE
    return day


def months_later(start: date, count: int) -> date:
    """Walk to the first of the target month, then to the same number or the month's end."""
    day = start
    for _ in range(count):
        month = day.month
        day = day.replace(day=28)
        while day.month == month:
            day += ONE
    while day.day < start.day and (day + ONE).month == day.month:
        day += ONE
    return day


def _end(f: dict[str, Any], land: str, deemed: date | None, review: set[str]) -> date | None:
    if deemed is None:
        return None
    if f["remedy"] == "none-possible":
        review.add("NO-REMEDY")
        return None
    faulty = f["remedy"] == "given" and f["remedy_faulty"]
    if faulty or f["remedy"] in ("missing", "wrong"):
        months = 12
    elif not f["abroad"]:
        months = 1
    elif f["regime"] == "vwvfg-41-2a":
        months = 1
        review.add("C-ABROAD")
    elif f["regime"] == "ao-122a":
        months = 1
        review.add("AO-ABROAD")
    else:
        months = 3
        review.add("ABROAD")
    end = roll(land, months_later(deemed, months))
    if somewhere_a_holiday(land, end) and works(land, end):
        review.add("LOCAL-HOLIDAY")
    return end


def _consent(f: dict[str, Any], at: datetime) -> bool:
    """The last declaration up to the moment was a consent."""
    given, revoked = f["consent_given"], f["consent_revoked"]
    declarations = []
    if given is not None and given <= at:
        declarations.append((given, True))
    if revoked is not None and revoked <= at:
        declarations.append((revoked, False))
    if not declarations:
        return False
    latest = max(when for when, _ in declarations)
    said = [what for when, what in declarations if when == latest]
    return all(said)


def _consent_row(f: dict[str, Any], review: set[str]) -> bool:
    """Whether the notice fails for lack of consent."""
    moments = [f[name] for name in ("provided", "alert_sent") if f[name] is not None]
    held = {_consent(f, at) for at in (moments or [f["now"]])}
    if held == {True}:
        return False
    if len(held) == 2:
        review.add("A1-TIMING")
    if f["retrieved"]:
        review.add("RETRIEVED-WITHOUT-CONSENT")
    return True


def _weak(f: dict[str, Any], review: set[str]) -> None:
    if f["assurance"] == "low":
        review.add("IDENTITY")


def _alert_good(f: dict[str, Any]) -> bool:
    return bool(f["alert_sent"] and f["provided"] and f["provided"] <= f["alert_sent"])


def _table_a(f: dict[str, Any], land: str, shift: bool, review: set[str]) -> tuple[Any, bool]:
    """Deemed day (or None) and whether the dispatch has to be refused."""
    opened = local_day(f["retrieved"]) if f["retrieved"] else None
    if _consent_row(f, review):
        return None, False
    if f["schriftform"] and not f["qualified_signed"]:
        return None, True
    if not _alert_good(f):
        if opened:
            review.add("A3-CANDIDATE")
            _weak(f, review)
        return opened, False
    n = local_day(f["alert_sent"])
    reference = local_day(f["issued"] or f["provided"]) if shift else n
    fiction = after(n, 3 if reference.year < 2025 else 4)
    if shift:
        fiction = roll(land, fiction)
    late = None
    if f["alert_received"]:
        late = 0
        while after(n, late) < local_day(f["alert_received"]):
            late += 1
    limit = 3 if n.year < 2026 else 4
    doubtful = late == 4 and date(2025, 4, 2) < n < date(2026, 3, 4)
    if f["alert_failed"]:
        if not f["disputed"]:
            review.add("A4-NO-DENIAL")
    elif f["disputed"] and not f["receipt_proven"] and late is None:
        if f["alert_delivered"]:
            review.add("REPLY-250")
    elif late is not None and late > limit:
        if doubtful:
            review.add("S7-CHANGE")
    else:
        if doubtful:
            review.add("S7-CHANGE")
        if shift and somewhere_a_holiday(land, fiction) and works(land, fiction):
            review.add("LOCAL-HOLIDAY")
        return fiction, False
    if opened is None:
        return None, False
    _weak(f, review)
    if opened >= fiction:
        return opened, False
    review.add("A-EARLIER")
    if shift and somewhere_a_holiday(land, fiction) and works(land, fiction):
        review.add("LOCAL-HOLIDAY")
    return fiction, False


def _table_b(f: dict[str, Any], review: set[str]) -> date | None:
    if not f["sent"] or not f["access_opened"]:
        return None
    sent = local_day(f["sent"])
    fourth = after(sent, 3 if sent.year < 2025 else 4)
    if f["received"]:
        return max(local_day(f["received"]), fourth)
    doubt = f["not_received"] or f["in_doubt"] or f["disputed"] or f["alert_failed"]
    if not doubt or f["receipt_proven"]:
        return fourth
    if f["retrieved"]:
        review.add("RETRIEVED-IN-DOUBT")
        _weak(f, review)
        return max(local_day(f["retrieved"]), fourth)
    return None


def _table_c(f: dict[str, Any], land: str, review: set[str]) -> tuple[date | None, bool]:
    """Deemed day and whether the window is still open."""
    if _consent_row(f, review):
        return None, False
    opened = local_day(f["retrieved"]) if f["retrieved"] else None
    in_time = False
    if not _alert_good(f):
        if opened is None:
            return None, False
        review.add("RETRIEVED-WITHOUT-WINDOW")
        in_time = True
    else:
        tenth = after(local_day(f["alert_sent"]), 10)
        last = roll(land, tenth)
        today = local_day(f["now"])
        if opened is None or opened > last:
            if today <= last:
                if today > tenth:
                    review.add("C-DAY-TEN")
                return None, True
            return None, False
        in_time = True
        if opened > tenth:
            review.add("C-DAY-TEN")
    assert in_time
    assert opened is not None
    if not works(land, opened + ONE):
        review.add("C-NO-SHIFT")
    _weak(f, review)
    return opened + ONE, False


def _ruled_out(f: dict[str, Any]) -> bool:
    moment = f["provided"] or f["now"]
    if f["excluded"] and f["excluded"] <= moment:
        return True
    if not f["consent_revoked"] or f["consent_revoked"] > moment:
        return False
    given = f["consent_given"]
    return not (given and f["consent_revoked"] < given <= moment)


def _alert_trouble(f: dict[str, Any]) -> bool:
    denied = f["disputed"] and not f["receipt_proven"]
    return bool(not f["alert_sent"] or f["alert_failed"] or denied)


def _table_d(f: dict[str, Any], land: str, review: set[str]) -> date | None:
    if _ruled_out(f):
        return None
    if not f["provided"] or f["providing_unproven"]:
        if not f["retrieved"] or (f["paper_sent"] and f["paper_sent"] <= f["retrieved"]):
            return None
        review.add("D-UNPROVEN")
        _weak(f, review)
        return local_day(f["retrieved"])
    provided = local_day(f["provided"])
    deemed = after(provided, 3 if provided.year < 2025 else 4)
    if not works(land, deemed):
        review.add("D-NO-SHIFT")
    if _alert_trouble(f) or local_day(f["alert_sent"]) > provided:
        review.add("D-ALERT")
    return deemed


def _table_e(f: dict[str, Any], land: str, review: set[str]) -> tuple[date | None, bool]:
    issued = f["issued"] or f["provided"] or f["alert_sent"] or f["now"]
    if local_day(issued).year < 2026:
        return _table_a(f, land, True, review)
    if _ruled_out(f):
        review.add("AO-EXCLUDED")
        return None, False
    if not f["provided"] or f["providing_unproven"]:
        if not f["retrieved"]:
            return None, False
        review.add("AO-UNPROVEN")
        _weak(f, review)
        return local_day(f["retrieved"]), False
    deemed = roll(land, after(local_day(f["provided"]), 4))
    if somewhere_a_holiday(land, deemed) and works(land, deemed):
        review.add("LOCAL-HOLIDAY")
    if _alert_trouble(f):
        review.add("AO-ALERT")
    return deemed, False


def _table_f(f: dict[str, Any]) -> tuple[date | None, bool]:
    login = local_day(f["login_confirmed"]) if f["login_confirmed"] else None
    if not f["sent"]:
        return login, False
    sent = local_day(f["sent"])
    fourth = after(sent, 3 if sent.year < 2025 else 4)
    if not (f["mandatory_electronic"] and f["instructed"]):
        return login, login is None and local_day(f["now"]) <= fourth
    known = local_day(f["confirmation_arrived"]) if f["confirmation_arrived"] else login
    if login and known and known <= fourth:
        return login, False
    if f["received"]:
        return max(fourth, local_day(f["received"])), False
    return (None if f["not_received"] else fourth), False


def naive(facts: dict[str, Any]) -> Answer:
    """The law file's tables, in the file's order."""
    now = facts["now"]
    f = {
        name: None if isinstance(value, datetime) and value > now else value
        for name, value in facts.items()
    }
    land = str(facts["place"]).split("-")[1]
    review: set[str] = set()
    still_open = refused = False
    match f["regime"]:
        case "sgb10-37-2a":
            deemed, refused = _table_a(f, land, False, review)
            if f["benefit"] == "sgb2" and f["ozg_portal"]:
                review.add("SGB2-PORTAL")
        case "sgb10-37-2":
            deemed = _table_b(f, review)
        case "vwvfg-41-2a":
            deemed, still_open = _table_c(f, land, review)
        case "ozg-9":
            deemed = _table_d(f, land, review)
            if f["benefit"] == "sgb2":
                review.add("SGB2-PORTAL")
        case "ao-122a":
            deemed, refused = _table_e(f, land, review)
        case "vwzg-5a":
            deemed, still_open = _table_f(f)
        case _:
            raise AssertionError(f["regime"])
    end = _end(f, land, deemed, review)
    if f["schriftform"] and not f["qualified_signed"] and not refused:
        review.add("FORM")
    opened_early = f["retrieved"] and f["provided"] and f["retrieved"] < f["provided"]
    failed_early = f["alert_failed"] and f["alert_sent"] and f["alert_failed"] < f["alert_sent"]
    if opened_early or failed_early:
        review.add("CONTRADICTION")
    return Answer(deemed, end, frozenset(review), still_open, refused)
