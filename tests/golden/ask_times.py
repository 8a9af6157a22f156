"""Asks graphite-web 1.1.10 what texts mean as times, for times.ndjson.

In a virtual environment with graphite-web==1.1.10:  python ask_times.py > times.ndjson

The first row lists the texts. Each further one is a now and a zone with what the texts mean there, in their order, as unix seconds, or null
where graphite-web fails. Each text comes in each zone at each now, so that days on which clocks are put forward or back, leap days and ends
of years meet all forms.
"""

import datetime
import json
import os
import sys
import tempfile

NOWS = ["2026-11-23T10:30:00", "2024-02-29T12:00:30", "2026-03-29T00:59:59", "2026-03-29T03:10:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-11-01T05:45:00", "2025-12-31T23:59:59"]
ZONES = ["UTC", "Europe/Berlin", "america/new_york", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/Dublin", "Pacific/Kiritimati", "Nowhere/Land"]

CLOCKS = ["", "noon", "midnight", "teatime", "00:00", "1:59", "02:00", "2:15", "02:30", "03:00", "23:59", "12am", "12pm", "1am", "6pm", "2:30am", "2:30pm", "12:30am", "12:30pm", "13pm"]
DAYS = ["", "today", "yesterday", "tomorrow", "monday", "sun", "20260329", "03/29/26", "10/25/2026", "november1"]

ODD = """
now|NOW|  now  |n o w|_n_o_w_|now+0s|now-0d|now-1h|now+1d|now-1mon|now-1y|now-1min1h|today+now|now now|nowish|now:|
-1s|-90s|-5min|-5minutes|-1h|-1hour|-1hours|-1hullabaloo|-1d|-7days|-1w|-1weeks|-1mon|-1months|-1y|-1years|-1yikes|-1sec|-1S|-1H30MIN|- 1 h|-_1_h|-1,h|-1h30min|-1d12h5min30s|-1h-1h|-1h+1h|+1h-1h|+1h|+1d|+-1h|-+1h|--1h|++1h|-0h|-00001d|-36h|-168h|-2w3d
-1m|-5m|-1ms|-1|-|+|-h|-1h1|-1.5h|-1x|-1mo|-1mi|-1é|-1dé|-1h 30|1h|1d|5min|-99999999d|-1000000000d|-9999999999y|-99999999999999999999s|-700000d|+2000000d|+3000000d|-1e3s|-0x10s|-٣h
0|1|60|1000|86400|1600000000|1700000000|9999999999|253402300799|253402300800|1763647500000|99999999999999999999|-5|1.5|1700000000.5|1700000000,|1_700_000_000| 1700000000 |1700 000 000|00001700000000|+1700000000|1700000000+1h|1700000000-1h
19691231|19700101|20000229|20010229|20240229|20230229|20260101|20261231|20261301|20260001|20261332|20260132|20260431|20260400|19001231|19010101|18991231|20260329|20261025|20261101|20370701|20380701|20450101|00010101|2026112|202611230|2026-11-23|2026_11_23|2026 11 23|20261123-1d|20261123+12h
20261025+2h|20261025+3h|20261025+1d|20260329+2h|20260329+3h|20260329+1d|20261026-1d|20260330-1d|20260330-21h|20261026-22h|20261101+2h|20261101+1d|midnight_20261102-1d|noon_20261101-12h|noon_20260308-12h
1:30_20261025|01:30_20261101|1:30_20261101|02:30_20260308|2:30_20260308|3:00_20260308|2:59_20260329|01:59_20260405|1:45_20260405|2:15_20261004|01:30_20261025-1h|01:30_20261025+1h|02:30_20261025-1h|02:30_20261025+1h|02:30_20260329+1h|02:30_20260329-1h|1:59_20260329+1min|2:30 10/25/26 - 30min|00:30_20280229|23:59:59
14:05_20111130|14:05 20111130|14:05,20111130|14:0520111130|1405_20111130|14:05:30_20111130|4:05_20111130|4:5_20111130|4:5|4:|:5|4:5pm|4:05p|4:05pm|4:05 pm|4:05am|4:05a|16:05pm|16:05am|0:00am|0:00pm|12:00am|12:00pm|11:59pm|24:00|23:60|25:00|99:99|-0:30+1d|-1:30+1d|5:-0+1d|1:2:3|14:05:30|100:30|9:30am_yesterday|9:30amyesterday|9:30yesterday|9:30pm yesterday|noon9:30|9:30noon|9:30noontomorrow|5:30 6am|5:30 6pm|5:30am6am|6am7pm|6am noon|noon midnight
6am|06am|6pm|06pm|0am|0pm|12am|12pm|13am|13pm|23pm|24am|24pm|99pm|99am|100pm|6 am|6a|6p|am|pm|6amtoday|6pm_today|6pmyesterday|6pm tomorrow|6pm+1d|6pm_today-2h|12am_20261025|12pm_20261025|-6pm+1d|6ampm
noon|noontoday|noon_yesterday|noonyesterday|noon tomorrow|noon+yesterday|NOON|midnight|midnight_monday|midnight_tuesday|midnight+1d|teatime|teatime_sunday|teatime-1d|teatimes|noonish|midnightmidnight|yesterdaynoon|today|today-1s|today+25h|yesterday|yesterday-1h|tomorrow|tomorrow-1mon|todays|yester|yesterday today|tonight
monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tue|wed|thu|fri|sat|sun|MONDAY|mond|mondo|monday7|sun5|sunflower|satur|su|mo|tuesdays|6pm_monday|6pm_friday-1w|noon_sat|noon sunday|monday+1d|monday-1mon|next monday
jan1|jan01|january1|january_1|january 31|jan32|jan0|feb28|feb29|february29|feb30|mar29|march29|apr31|may5|june30|jul4|aug08|sept9|sep30|oct25|october25|nov1|november01|dec31|december 31|december31 -1d|jan|january|jan_a|jan1a|jan1x5|jan5x|jan2026|jan 5 2026|jan5,2026|janet99|jan-5|1jan|5 january|noon_jan1|6pm_feb29|14:05_march3|june 6th|marchë5
01/01/26|1/1/26|12/31/99|12/31/1999|12/31/69|12/31/70|11/30/11|11/30/2011|11/30/0|2/29/24|2/29/23|2/29/2000|2/29/1900|13/01/26|0/1/26|1/0/26|1/32/26|1/1/1899|1/1/1900|1/1/1901|1/1/100|1/1/9999|1/1/8100|1/1|1/1/1/1|//|1//26|a/b/c|1/1/26x|1/ 1/26|1/1/-5+1d|midnight 11/30/11|midnight_11/30/2011|6pm_11/30/11|14:05_11/30/11-1h|30/11/11|3/29/26|10/25/26|11/01/26|2026/11/23
2026-11-20T14:05:00Z|2026-11-20T14:05:00+01:00|2026-11-20 14:05|20261120T140500|14h05|14.05|five|null|none|undefined|NaN|ｎｏｗ|１７|²|\t now \t|mid night|mid_night|tea,time|to day|1 2 p m|é|é:05|日本|😀|+é|-é|00:00_é|now+1é|*|%|'now'|"now"|now;|now)|$now
"""


def texts():
    """Each text once, in a fixed order."""
    made = [f"{clock}_{day}".strip("_") for clock in CLOCKS for day in DAYS]
    odd = ODD.strip("\n").replace("\n", "|").replace("\\t", "\t").split("|")
    return list(dict.fromkeys(made + odd))


def settle(root):
    """What graphite-web needs before it can be imported."""
    os.environ["GRAPHITE_ROOT"] = root
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "golden_settings"
    os.makedirs(os.path.join(root, "storage/log/webapp"))
    with open(os.path.join(root, "golden_settings.py"), "w") as file:
        file.write(f"SECRET_KEY = 'x'\nTIME_ZONE = 'UTC'\nLOG_DIR = {root + '/storage/log/webapp'!r}\n")
    sys.path.insert(0, root)
    import django

    django.setup()


def zone_of(name):
    """The zone as a request's `tz` chooses it: UTC where there is none of that name."""
    import pytz

    try:
        return pytz.timezone(name)
    except pytz.UnknownTimeZoneError:
        return pytz.utc


def meaning(text, zone, now):
    from graphite.render.attime import parseATTime
    from graphite.util import epoch

    try:
        return int(epoch(parseATTime(text, zone, now)))
    except Exception:
        return None


def main():
    with tempfile.TemporaryDirectory() as root:
        settle(root)
        forms = texts()
        print(json.dumps({"texts": forms}, ensure_ascii=False, separators=(",", ":")))
        for written in NOWS:
            now = datetime.datetime.fromisoformat(written).replace(tzinfo=datetime.timezone.utc)
            for name in ZONES:
                zone = zone_of(name)
                row = {"now": int(now.timestamp()), "tz": name, "at": [meaning(text, zone, now.astimezone(zone)) for text in forms]}
                print(json.dumps(row, separators=(",", ":")))


if __name__ == "__main__":
    main()
