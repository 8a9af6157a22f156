"""Asks graphite-web what it answers, for the tests of Sonde's own functions.

    scripts/graphite-web.sh
    ~/.cache/sonde/graphite-web/bin/python tests/golden/ask_graphite.py > tests/golden/render.ndjson
    ~/.cache/sonde/graphite-web/bin/python tests/golden/ask_graphite.py names > tests/golden/functions.txt

Its series are made by a formula, which the tests have too. A row of what comes out is a query and its answer: the series with
their names, tags, start, step and values; or the status and text of a refusal.
"""
import json
import os
import sys
import tempfile

NOW = 1_600_001_220
#: name -> (kind, seed, step)
SERIES = {
    "web.h1.cpu.user": ("wave", 1, 60), "web.h1.cpu.system": ("wave", 2, 60), "web.h1.mem.used": ("int", 3, 60),
    "web.h2.cpu.user": ("gaps", 4, 60), "web.h2.cpu.system": ("wave", 5, 60), "web.h2.mem.used": ("int", 6, 60),
    "web.h3.cpu.user": ("wave", 7, 60), "web.h3.cpu.system": ("gaps", 8, 60), "web.h3.mem.used": ("gaps", 9, 60),
    "fast.x": ("wave", 10, 10), "fast.y": ("gaps", 11, 10), "slow.x": ("wave", 12, 300), "slow.y": ("gaps", 13, 300),
    "cnt.a": ("counter", 14, 60), "cnt.b": ("counter_gaps", 15, 60), "cnt.up": ("rising", 16, 60),
    "void.at_all": ("none", 17, 60), "same.five": ("five", 18, 60), "same.zero": ("zero", 19, 60),
    "neg.a": ("neg", 20, 60), "neg.b": ("neg", 21, 60), "big.a": ("big", 22, 60), "few.a": ("sparse", 23, 60),
    "few.b": ("sparse", 24, 60), "stats.timers.db-1.p95": ("wave", 25, 60), "stats.timers.db-2.p95": ("int", 26, 60),
}

#: When, what and with which tags; the first lies at the range's beginning, one at its end, which events() does not count.
EVENTS = [(NOW - 1200, "start", ["deploy", "web"]), (NOW - 900, "deploy", ["deploy", "db"]), (NOW - 900, "again", ["deploy", "web"]), (NOW - 61, "odd", ["a-b", "web"]), (NOW - 5000, "before", ["deploy"])]


def value(kind, seed, i):
    """The value of the i-th step since 1970."""
    h = ((i * 2_654_435_761 + seed * 97) ^ (i >> 3)) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 2_246_822_519) & 0xFFFFFFFF
    h ^= h >> 13
    wave = (abs(i % 48 - 24) * 100 + h % 500) / 100.0
    gap = h % 7 == 0 or 20 <= i % 60 < 26
    return {
        "wave": wave,
        "gaps": None if gap else wave,
        "int": float(h % 100),
        "counter": float(i % 17 * 10 + h % 10),
        "counter_gaps": None if gap else float(i % 17 * 10 + h % 10),
        "rising": float(i - 26_000_000) * 3.0 + h % 3,
        "none": None,
        "five": 5.0,
        "zero": 0.0,
        "neg": wave - 15.0,
        "big": h * 1_000_000.0,
        "sparse": wave if i % 5 == 0 else None,
    }[kind]


# ---- the queries

ONE = ["web.h1.cpu.user", "web.h2.cpu.user", "void.at_all", "cnt.b", "neg.a"]
MANY = ["web.*.cpu.user", "web.*.*.*", "fast.*", "group(web.h1.cpu.user,slow.x)", "no.such", "few.*", "cnt.*"]
CALLBACKS = ["average", "avg", "avg_zero", "median", "sum", "total", "min", "max", "diff", "stddev", "range", "rangeOf", "multiply", "last", "current", "count"]
INTERVALS = ['"5min"', "'2min'", "3", '"1min"', "10", '"-3min"', '"90s"']

targets = []


def add(*texts):
    targets.extend(texts)


def each(series, *forms):
    for one in series:
        for form in forms:
            add(form.replace("@", one))


add(*SERIES, *MANY, "*", "web.*", "web.h[12].cpu.user", "web.h?.mem.used", "web.{h1,h3}.cpu.*", "*.*", "web.h1.cpu.user ", " web.h1.mem.used")
ALL = ONE + MANY

# Combining
for name in ["sumSeries", "sum", "averageSeries", "avg", "minSeries", "maxSeries", "countSeries", "diffSeries", "multiplySeries", "rangeOfSeries", "stddevSeries", "group"]:
    each(ALL, f"{name}(@)")
    add(f"{name}(web.h1.cpu.user,web.h2.cpu.user)", f"{name}(web.*.cpu.user,fast.x)", f"{name}()", f"{name}(fast.x,slow.x,web.h1.cpu.user)")
for callback in CALLBACKS:
    each(["web.*.cpu.user", "fast.*", "no.such", "web.*.*.*"], f'aggregate(@,"{callback}")')
    each(["web.*.cpu.*"], f'groupByNode(@,1,"{callback}")', f'groupByNodes(@,"{callback}",1,3)', f'aggregateWithWildcards(@,"{callback}",1)')
each(MANY, 'aggregate(@,"sum",0.5)', 'aggregate(@,"sum",1)', 'aggregate(@,"nope")', "asPercent(@)", "asPercent(@,100)", "asPercent(@,web.h1.cpu.user)", "pct(@,1500)", "asPercent(@,None,0)", "asPercent(@,None,1)", "asPercent(@,web.h1.cpu.user,1)", "percentileOfSeries(@,50)", "percentileOfSeries(@,95,true)", "percentileOfSeries(@,0)")
each(["web.*.cpu.*", "web.*.*.*", "few.*", "no.such"], "groupByNode(@,1)", 'groupByNode(@,-1,"max")', 'groupByNode(@,2,"sum")', "sumSeriesWithWildcards(@,1)", "sumSeriesWithWildcards(@,1,2)", "averageSeriesWithWildcards(@,3)", "multiplySeriesWithWildcards(@,1)", 'groupByNodes(@,"avg",0,1)', "groupByNode(@,9)")
each(["web.*.cpu.user", "fast.*", "no.such", "void.at_all"], "divideSeries(@,web.h1.mem.used)", "divideSeries(@,slow.x)", "divideSeries(@,same.zero)", "divideSeries(@,no.such)", "isNonNull(@)")
add("divideSeriesLists(web.*.cpu.user,web.*.mem.used)", "diffSeriesLists(web.*.cpu.user,web.*.mem.used)", "sumSeriesLists(web.*.cpu.user,web.*.mem.used)", "multiplySeriesLists(web.*.cpu.user,web.*.mem.used)", 'aggregateSeriesLists(web.*.cpu.user,web.*.mem.used,"max")', "divideSeriesLists(web.*.cpu.user,fast.x)")
add('applyByNode(web.*.cpu.user,1,"sumSeries(%.cpu.*)")', 'applyByNode(web.*.cpu.user,1,"divideSeries(%.cpu.user,%.mem.used)","%.share")', 'applyByNode(web.*.cpu.user,0,"sumSeries(%.h1.cpu.*)")')
add("mapSeries(web.*.cpu.*,1)", 'reduceSeries(mapSeries(web.*.cpu.*,1),"asPercent",3,"user","system")', 'reduceSeries(mapSeries(web.*.cpu.*,1),"diffSeries",3,"user","system")', "weightedAverage(web.*.cpu.user,web.*.mem.used,1)", "powSeries(web.h1.cpu.user,same.five)", "powSeries(neg.*)")
each(["web.*.cpu.user", "fast.x"], 'aggregateLine(@,"max")', "aggregateLine(@)", 'aggregateLine(@,"sum",true)', "minMax(@)", "countSeries(@)")
each(["web.*.cpu.*", "fast.*", "void.at_all", "no.such"], 'groupByNode(@,1,"asPercent")', 'groupByNode(@,1,"countSeries")', 'groupByNode(@,1,"maxSeries")', 'groupByNode(@,1,"group")', 'groupByNode(@,1,"isNonNull")', 'groupByNode(@,"name")', 'groupByNode(@,0,"multiplySeries")', 'groupByNodes(@,"sumSeries",-1,"name")', 'groupByNodes(@,"sum")', 'groupByNodes(@,"medianSeries",1)', 'groupByNodes(@,"nope",1)', 'groupByTags(@,"sum","name")', 'groupByTags(@,"max","name","name")', 'groupByTags(@,"sum","dc")', "sumSeriesWithWildcards(@)", "averageSeriesWithWildcards(@,-1)", "multiplySeriesWithWildcards(@,0,1,2,3)", 'aggregateWithWildcards(@,"sumSeries",1)', 'aggregateWithWildcards(@,"nope",1)', "countSeries(@,web.h1.cpu.user)", "percentileOfSeries(@,33.3,true)", "percentileOfSeries(@,100)", "percentileOfSeries(@,1)", "percentileOfSeries(scale(@,2),50)", "mapSeries(@,0)|reduceSeries('sumSeries',1,'x','y')", 'map(@,1)|reduce("divideSeries",-1,"user","system")', 'map(@,1)|reduceSeries("sumSeries",-1,"system")')
add("asPercent(web.*.cpu.user,web.*.mem.used)", "asPercent(web.*.cpu.user,web.*.*.*,1)", "asPercent(web.h1.cpu.*,web.*.mem.used,1)", "asPercent(web.*.cpu.*,web.{h1,h2}.mem.used,1)", "asPercent(web.*.cpu.*,12.5)", "asPercent(web.*.cpu.*,0)", "asPercent(web.*.cpu.*,no.such)", "asPercent(no.such,web.h1.cpu.user)", "asPercent(web.*.cpu.*,web.{h1,h2}.cpu.*)", 'asPercent(web.*.cpu.*,None,"name")', "asPercent(web.*.cpu.*,None,0,2)", "asPercent(web.*.cpu.*,5,1)", "asPercent(fast.*,slow.*)", "asPercent(slow.*,fast.*)", "asPercent(slow.*,fast.x)", "asPercent(fast.*,slow.*,0)", "asPercent(group(fast.*,slow.*),None,0)", "asPercent(group(fast.*,slow.*),None,1)", "asPercent(sumSeries(web.*.cpu.*),sumSeries(web.*.*.*))", "asPercent(same.*,same.zero)", "asPercent(web.h1.cpu.user,total=100)")
add("divideSeries(slow.x,fast.x)", "divideSeries(web.*.cpu.user,web.*.mem.used)", "divideSeriesLists(fast.*,slow.*)", "divideSeriesLists(no.such,no.such)", "sumSeriesLists(fast.*,slow.*)", "sumSeriesLists(fast.*,slow.x)", 'aggregateSeriesLists(fast.*,few.*,"avg",0.6)', 'aggregateSeriesLists(fast.*,few.*,"maxSeries")', 'aggregateSeriesLists(fast.*,few.*,"nope")', "multiplySeriesLists(web.h1.cpu.*,web.h2.cpu.*)", "weightedAverage(web.*.cpu.user,web.*.mem.used,1,0)", "weightedAverage(web.*.cpu.user,web.*.mem.used)", "weightedAverage(web.*.cpu.user,web.*.mem.used,2)", "weightedAverage(web.*.cpu.*,web.*.mem.used,1)", "weightedAverage(web.*.cpu.user,scale(web.*.mem.used,2),1)", "weightedAverage(no.such,no.such,1)")
add("powSeries(same.*)", "powSeries(web.h1.cpu.user,neg.a)", "powSeries(big.a,big.a)", "powSeries(same.zero,neg.a)", "powSeries(fast.x,slow.x)", "powSeries(no.such)", "powSeries(few.a,same.five,few.b)", "countSeries(no.such)", "countSeries(fast.*,slow.*)", "isNonNull(fast.*)", "isNonNull(few.*)")
each(["web.*.cpu.user", "void.at_all", "fast.y", "slow.x"], 'aggregateLine(@,"count")', 'aggregateLine(@,"avg_zero")', 'aggregateLine(@,"last",keepStep=true)', 'aggregateLine(@,"multiply")', 'aggregateLine(@,"nope")')
add('applyByNode(web.*.*.*,1,"asPercent(%.cpu.user,%.mem.used)")', 'applyByNode(web.*.cpu.user,0,"%.h1.cpu.*","% of %")', 'applyByNode(web.*.cpu.user,-1,"%.x")', 'applyByNode(web.*.cpu.user,9,"%")', 'applyByNode(no.such,1,"%")', 'applyByNode(web.*.cpu.user,1,"%.no.such")', 'applyByNode(fast.*,0,"group(%.x,slow.x)")', "applyByNode(web.*.cpu.user,1,\"alias(sumSeries(%.cpu.user),'%')\")", 'aliasByNode(applyByNode(web.*.cpu.user,1,"sumSeries(%.cpu.*)"),1)', 'sumSeries(applyByNode(web.*.cpu.user,1,"sumSeries(%.cpu.*)"))')

# Transforming
for one in ["web.h1.cpu.user", "web.h2.cpu.user", "void.at_all", "neg.*", "fast.*", "cnt.*", "no.such", "same.*"]:
    for form in ["absolute(@)", "invert(@)", "scale(@,2)", "scale(@,-0.5)", "scale(@,1e3)", "offset(@,7)", "add(@,-3.5)", "offsetToZero(@)", "derivative(@)", "nonNegativeDerivative(@)", "nonNegativeDerivative(@,100)", "nonNegativeDerivative(@,255,3)", "perSecond(@)", "perSecond(@,100)", "perSecond(@,maxValue=170)", "integral(@)", 'integralByInterval(@,"5min")', "keepLastValue(@)", "keepLastValue(@,2)", "keepLastValue(@,limit=1)", "interpolate(@)", "interpolate(@,2)", "log(@)", "log(@,2)", "log(@,base=2)", "logit(@)", "sigmoid(@)", "exp(scale(@,0.1))", "pow(@,2)", "pow(@,-1)", "squareRoot(@)", "round(@)", "round(@,1)", "round(@,-1)", "scaleToSeconds(@,60)", "scaleToSeconds(@,3600)", "transformNull(@)", "transformNull(@,-1)", "transformNull(@,0,web.h1.cpu.user)", "delay(@,2)", "delay(@,-1)", "compressPeriodicGaps(@)", "changed(@)", "cumulative(@)", 'consolidateBy(@,"max")', "identity(\"@\")", "stdev(@,5)", "stdev(@,3,0.5)", "isNonNull(@)", "removeAboveValue(@,12)", "removeBelowValue(@,8)", "removeAbovePercentile(@,50)", "removeBelowPercentile(@,50)", "nPercentile(@,50)", "nPercentile(@,99)", "linearRegression(@)", "cactiStyle(@)", 'cactiStyle(@,"si")', 'cactiStyle(@,"si","b")', "legendValue(@,\"avg\")", 'legendValue(@,"last","si")', 'setXFilesFactor(@,0.5)', 'xFilesFactor(@,1)']:
        add(form.replace("@", one))
for one in ["web.h1.cpu.user", "fast.y", "cnt.a", "void.at_all", "web.*.cpu.user"]:
    for interval in ['"5min"', '"7min"', '"1h"', "'90s'", '"1d"', '"3minutes"']:
        for function in ["sum", "avg", "max", "min", "last", "count", "median", "nope"]:
            if function in ("sum", "max", "last") or interval == '"5min"':
                add(f'summarize({one},{interval},"{function}")', f'summarize({one},{interval},"{function}",true)', f'smartSummarize({one},{interval},"{function}")')
        add(f"hitcount({one},{interval})", f"hitcount({one},{interval},true)", f"summarize({one},{interval})")
    add(f'smartSummarize({one},"5min","sum","hour")', f'smartSummarize({one},"5min","avg","minutes5")', f'hitcount({one},"5min",alignToInterval=true)', f'summarize({one},"x")')
for one in ["web.h1.cpu.user", "web.*.cpu.user", "fast.x", "no.such"]:
    for shift in ['"10min"', '"-10min"', '"+5min"', '"1h"', '"1d"', '"x"']:
        add(f"timeShift({one},{shift})")
    add(f'timeShift({one},"1h",true)', f'timeShift({one},"5min",resetEnd=false)', f'timeStack({one},"10min",0,3)', f'timeSlice({one},"-15min","-5min")', f'timeSlice({one},"00:10 20200913")', f'timeShift({one},"1d",false,true)')

# Moving windows
for function in ["movingAverage", "movingMedian", "movingMax", "movingMin", "movingSum", "exponentialMovingAverage"]:
    for interval in INTERVALS:
        each(["web.h1.cpu.user", "web.h2.cpu.user", "fast.*", "void.at_all", "no.such"], f"{function}(@,{interval})")
    add(f"{function}(web.h2.cpu.user,5,0.9)", f'{function}(web.*.cpu.user,"5min",xFilesFactor=0.5)', f"{function}(web.h1.cpu.user,0)", f'{function}(web.h1.cpu.user,"x")', f"{function}(web.h1.cpu.user)")
for function in ["average", "median", "sum", "min", "max", "stddev", "range", "last", "diff", "count", "multiply", "nope"]:
    add(f'movingWindow(web.h2.cpu.user,"5min","{function}")', f'movingWindow(web.h1.cpu.user,4,"{function}",0.5)')
for one in ["web.h1.cpu.user", "web.h2.cpu.user"]:
    add(f"holtWintersForecast({one})", f"holtWintersConfidenceBands({one})", f"holtWintersAberration({one},2)", f'holtWintersForecast({one},"1d")', f"holtWintersConfidenceArea({one})")

# More of both: other steps, gaps, places and refusals
each(["slow.*", "group(fast.x,slow.x)", "few.*", "fast.y"], 'summarize(@,"1min")', 'summarize(@,"1min","avg",true)', 'summarize(@,"10min","count")', 'summarize(@,"7min","last")', 'smartSummarize(@,"1min","max")', 'smartSummarize(@,"9min","avg")', 'hitcount(@,"1min")', 'hitcount(@,"4min",true)', 'hitcount(@,"7min")', "compressPeriodicGaps(@)", 'integralByInterval(@,"7min")', "delay(@,3)", "delay(@,100)", "delay(@,-100)", "transformNull(@,3,cnt.b)", "transformNull(@,3,slow.*)", "transformNull(@,1.5,no.such)", "derivative(@)", "perSecond(@)", "keepLastValue(@,3)", "interpolate(@,4)", "stdev(@,4)", "minMax(@)", "nPercentile(@,1)", "nPercentile(@,100)", "nPercentile(@,33.3)", "linearRegression(@)", 'linearRegression(@,"00:10 20200913","12:30 20200913")', 'timeShift(@,"7min")', 'timeShift(@,"7min",false)', 'timeShift(@,"-1h30min")', 'timeStack(@,"7min",1,3)', "isNonNull(@)", "round(@,1)", "scaleToSeconds(@,1)")
for one in ["compressPeriodicGaps(few.a)", "removeBelowValue(fast.x,8)", "few.*", "delay(few.a,1)", "delay(few.a,3)", "delay(few.a,4)"]:
    add(f"compressPeriodicGaps({one})", f'summarize(compressPeriodicGaps({one}),"10min")')
for unit in ["years", "month", "weeks", "weeks1", "weeks3", "weeks7", "days", "hours", "minutes", "min", "seconds"]:
    add(f'smartSummarize(slow.x,"1d","count","{unit}")' if unit[0] in "ymwd" else f'smartSummarize(web.h2.cpu.user,"7min","sum","{unit}")')
add('smartSummarize(web.h1.cpu.user,"5min","sum",true)', 'smartSummarize(web.h1.cpu.user,"5min","sum",false)', 'smartSummarize(web.h1.cpu.user,"5min",alignTo="hours")', 'hitcount(web.h1.cpu.user,"2h",true)', 'hitcount(web.h1.cpu.user,"1d",true)', 'hitcount(web.h1.cpu.user,"30s",true)', 'hitcount(web.h1.cpu.user,"10s")', 'summarize(web.h1.cpu.user,"5min",func="max")', 'summarize(web.h1.cpu.user,"5min",alignToFrom=true)', 'summarize(web.h1.cpu.user,"1h30min")', 'summarize(web.h1.cpu.user,"1w")')
for callback in CALLBACKS + ["nope"]:
    add(f'summarize(fast.y,"2min","{callback}")', f'aggregateLine(web.h2.cpu.user,"{callback}")', f'aggregateLine(web.h2.cpu.user,"{callback}",true)', f'aggregateLine(void.at_all,"{callback}")', f'movingWindow(fast.y,"1min","{callback}")', f'movingWindow(neg.a,7,"{callback}")')
each(["fast.y", "few.*", "slow.*", "neg.*", "big.a"], "movingAverage(@,4)", 'movingAverage(@,"10min")', 'movingAverage(@,"10min",0.7)', "movingMedian(@,4)", 'movingMedian(@,"10min")', "movingSum(@,7)", 'movingMin(@,"10min")', 'movingMax(@,"10min",xFilesFactor=0.3)', "movingWindow(@,5,'stddev')", 'movingWindow(@,"10min")', "exponentialMovingAverage(@,4)", 'exponentialMovingAverage(@,"10min")', "movingAverage(@,2.5)", 'movingAverage(@,"1s")', 'exponentialMovingAverage(@,"1s")', "movingAverage(movingAverage(@,3),2)", 'movingAverage(scale(@,2),"5min")', "movingMedian(derivative(@),3)")
each(["cnt.*", "neg.*"], "nonNegativeDerivative(@,minValue=-20)", "perSecond(@,minValue=-20)")
each(["cnt.a", "cnt.up", "neg.a"], "nonNegativeDerivative(@,200,1)", "nonNegativeDerivative(@,150)", "perSecond(@,200,1)", "perSecond(@,maxValue=150,minValue=5)")
each(["neg.a", "same.zero", "big.a", "web.h2.cpu.user"], "pow(@,0.5)", "pow(@,3)", "pow(@,0)", "log(@,2.5)", "log(@,1000)", "scale(@,0)", "scale(@,-1e-7)", "offset(@,-0.25)", "offset(@,1e6)", "add(@,1234567)", "add(@,0.9)", "add(@,-0.9)", "round(@,3)", "round(@,-2)", "round(@,0)", "exp(minMax(@))", "logit(minMax(@))", "sigmoid(@)", "absolute(@)", "scaleToSeconds(@,0.5)", "transformNull(@,1e6)", "transformNull(@,default=-0.5)")
add('timeSlice(web.h1.cpu.user,"12:30 20200913","12:40 20200913")', 'timeSlice(web.h1.cpu.user,"today","noon")', 'timeSlice(web.h1.cpu.user,"yesterday+36h","now-10min")', 'timeSlice(web.h2.cpu.user,"-10min")', 'timeSlice(fast.*,"1600000500","1600000900")', 'timeStack(web.h1.cpu.user)', 'timeStack(web.*.cpu.user,"1h",0,2)', 'timeStack(web.h1.cpu.user,"-1h",0,2)', 'timeStack(web.h1.cpu.user,"+1min",0,2)', 'timeStack(web.h1.cpu.user,"1h",2,0)', 'timeStack(no.such,"1h",0,2)')
each(["slow.x", "cnt.a", "web.*.cpu.user", "no.such", "void.at_all", "few.a"], 'holtWintersForecast(@,"3d","12h")', 'holtWintersForecast(@,"1d",seasonality="30min")', 'holtWintersConfidenceBands(@,2,"2d")', 'holtWintersConfidenceBands(@,1.5,"1d","1h")', 'holtWintersAberration(@,1,"1d","1h")', 'holtWintersConfidenceArea(@,3,"1d","1h")')
add("movingAverage(group(fast.x,slow.x),3)", "movingMedian(group(slow.x,slow.y),2)", 'movingAverage(group(fast.x,slow.x),"10min")', "exponentialMovingAverage(group(fast.x,slow.x),3)", 'exponentialMovingAverage(group(fast.x,slow.x),"10min")')
add("sumSeries(derivative(cnt.a),derivative(cnt.b))", "sumSeries(timeShift(web.*.cpu.user,'1h'))", "sumSeries(scale(web.h1.cpu.user,2),keepLastValue(web.h2.cpu.user))", "maxSeries(summarize(web.*.cpu.user,'5min'))", "sumSeries(movingAverage(web.*.cpu.user,3),slow.x)", "sumSeries(nPercentile(web.*.cpu.user,50),aggregateLine(web.*.cpu.user,'max',true))", "sumSeries(timeStack(web.h1.cpu.user,'1h',0,2))", "sumSeries(timeSlice(web.h1.cpu.user,'12:30 20200913'))", "sumSeries(transformNull(web.*.cpu.user),delay(fast.x,2))", "sumSeries(compressPeriodicGaps(few.*))", "sumSeries(linearRegression(web.*.cpu.user))", "sumSeries(holtWintersConfidenceBands(web.h1.cpu.user))", "sumSeries(stdev(web.*.cpu.user,3),interpolate(web.*.cpu.user))", "sumSeries(hitcount(web.*.cpu.user,'5min'))", "sumSeries(integral(cnt.a),integralByInterval(cnt.b,'5min'))", "sumSeries(perSecond(cnt.*),nonNegativeDerivative(cnt.*))", "sumSeries(log(web.*.cpu.user),log(web.*.cpu.user,2))")

# Filtering and sorting
each(["web.*.cpu.user", "web.*.*.*", "void.at_all", "no.such", "cnt.*", "few.*"], "averageAbove(@,12)", "averageBelow(@,12)", "currentAbove(@,10)", "currentBelow(@,10)", "maximumAbove(@,25)", "maximumBelow(@,25)", "minimumAbove(@,1)", "minimumBelow(@,1)", "highestAverage(@,2)", "highestCurrent(@,1)", "highestMax(@,3)", "highest(@)", 'highest(@,2,"sum")', "lowestAverage(@,2)", "lowestCurrent(@,2)", "lowest(@,1)", 'lowest(@,2,"max")', "limit(@,2)", "limit(@,0)", "mostDeviant(@,2)", "averageOutsidePercentile(@,30)", "removeBetweenPercentile(@,30)", "removeEmptySeries(@)", "removeEmptySeries(@,0.9)", 'exclude(@,"h2")', 'grep(@,"h[12]")', 'exclude(@,"^web")', "sortByName(@)", "sortByName(@,true)", "sortByName(@,false,true)", "sortByMaxima(@)", "sortByMinima(@)", "sortByTotal(@)", "sortBy(@)", 'sortBy(@,"max",true)', 'sortBy(@,"sum")', 'filterSeries(@,"max",">",20)', 'filterSeries(@,"avg","<=",12)', 'filterSeries(@,"last","=",5)', 'filterSeries(@,"sum","!=",5)', 'filterSeries(@,"min","~",5)', "unique(@,@)", 'useSeriesAbove(@,20,"user","system")')
each(["web.*.cpu.user", "void.at_all", "few.*", "fast.*", "group(void.at_all,web.*.cpu.user,same.*,neg.*)"], "highest(@,-1)", "highest(@,0)", "highestMax(@,2.7)", 'lowest(@,2,"count")', 'highest(@,3,"avg_zero")', "limit(@,-1)", "limit(@,100)", "mostDeviant(@,-1)", "mostDeviant(@,100)", "averageAbove(@,-1.5)", "currentAbove(@,0)", "currentBelow(@,0)", "minimumBelow(@,0)", "averageOutsidePercentile(@,70)", "averageOutsidePercentile(@,50)", "removeBetweenPercentile(@,70)", "removeEmptySeries(@,0.2)", "removeEmptySeries(@,1)", 'filterSeries(@,"count","<",5)', 'filterSeries(@,"count","=",0)', 'filterSeries(@,"avg_zero",">=",0)', 'filterSeries(@,"max","<",20)', 'filterSeries(@,"nope","<",20)', 'sortBy(@,"count")', 'sortBy(@,"avg_zero",true)', 'sortBy(@,"last",reverse=true)', 'sortBy(@,"nope")', "sortByMinima(@)", "sortByMaxima(@)", "sortByTotal(@)", "removeAboveValue(@,12.5)", "removeBelowValue(@,-0.5)", "removeAbovePercentile(@,33.3)", "removeBelowPercentile(@,100)", "grep(@,'^web\\.h1|few')", "grep(@,'[[]')", "exclude(@,'USER')", "exclude(@,'(?i)USER')", "grep(@,'(')", "grep(@,'h{1}\\d')", "grep(@,'\\Ber\\Z')")
add("unique(web.*.cpu.user,web.h1.*.*,fast.x)", "unique(scale(fast.x,2),scale(fast.x,2),fast.x)", "useSeriesAbove(web.{h1,h3}.cpu.*,20,'cpu\\.(user|system)','mem.used')", "useSeriesAbove(web.h1.cpu.*,2000,'user','system')", "useSeriesAbove(neg.*,-100,'a','b')", "sortByName(group(web.h3.cpu.user,fast.y,alias(fast.x,'a10'),alias(fast.x,'a9'),alias(fast.x,'a010')),true)", "sortByName(group(alias(fast.x,'a10'),alias(fast.x,'a9'),alias(fast.x,'a010'),alias(fast.x,'B')))", "sortByName(group(alias(fast.x,'a10'),alias(fast.y,'a9'),alias(slow.x,'a9')),true,true)")

# Names
each(["web.*.cpu.user", "stats.timers.*.p95", "web.h1.cpu.user", "sumSeries(web.*.cpu.user)", "scale(web.h1.cpu.user,2)", "no.such"], 'alias(@,"a name")', "alias(@,'a \"name\"')", "aliasByNode(@,1)", "aliasByNode(@,0,2)", "aliasByNode(@,-1)", "aliasByNode(@,9)", "aliasByMetric(@)", 'aliasSub(@,"^web\\.(h.)","<\\1>")', 'aliasSub(@,"e","E")', "aliasSub(@,\"(\\w+)\\.(\\w+)\",\"\\2 \\1\")", "substr(@,1)", "substr(@,1,3)", "substr(@,-2)", "substr(@,0,1)", "upper(@)", "lower(@)", 'aliasByTags(@,"name")', 'aliasByTags(@,1,"name")', 'aliasQuery(@,"user","system","is %d")')
each(["web.h1.cpu.user", "scale(web.h1.cpu.user,2)", "asPercent(web.*.cpu.user,web.h1.mem.used)", 'legendValue(web.h1.cpu.user,"avg")', "aggregateLine(web.h1.cpu.user)", 'alias(web.h1.cpu.user,"A (b) c.d")', 'summarize(web.h1.cpu.user,"5min","sum")', 'group(alias(web.h1.cpu.user,"a.b;c=d"))', "sumSeries(web.{h1,h2}.cpu.user)"], 'aliasByNode(@,1,"name")', 'aliasByNode(@,"nope",0)', "aliasByNode(@,-9,2)", "aliasByMetric(@)", "substr(@,1,2)", "substr(@,-3,-1)", "substr(@,9)", "substr(@)", "upper(@,0,-1,99)", "lower(@,3)", 'lower(upper(@))', "aliasSub(@,'.*','x')", "aliasSub(@,'x*','-')", "aliasSub(@,'','.')", "aliasSub(@,'(?P<one>h.)\\.(.)','\\g<one>\\g<2>_\\1')", "aliasSub(@,'(z)?h','<\\1>')", "aliasSub(@,'\\.','\\\\')", "aliasSub(@,'\\.','\\.')", "aliasSub(@,'\\.','\\t')", "aliasSub(@,'\\.','\\q')", "aliasSub(@,'\\.','\\2')", "aliasSub(@,'[.(,]','/')", "aliasSub(@,'^(.*?)\\.','$1 ')", "aliasSub(@,'$','!')", "aliasSub(@,'\\bcpu\\b','CPU')", "aliasSub(@,'(?i)WEB','w')", "aliasSub(@,5,6)", "legendValue(@,'avg','max')")
each(["web.*.cpu.user", "void.at_all", "big.a", "neg.*", "same.*"], *[f"legendValue(@,{kinds})" for kinds in ["'avg','si'", "'avg','max','binary'", "'last'", "'count'", "'nope','si'", "'nope'", "'stddev'", "'avg_zero'", "'count','si'", "'si'", "'total','min'"]])
each(["web.h{1,3}.cpu.user", "same.*"], *[f"aliasQuery(@,'^.*$','same.five','{form}')" for form in ["%d", "%i%%", "%.2f s", "%g", "%s", "%r", "[%8.3f]", "[%-8d]", "[%08.2f]", "[%+d]", "[% d]", "%.3g", "%5s|", "no", "%d %d", "%x", "%e", "%"]], "aliasQuery(@,'user|five|zero','nope','%d')", "aliasQuery(@,'h.\\.cpu\\.(.*)','h1.cpu.\\1','last is %g')")

# How it is drawn, which leaves values as they are
each(["web.*.cpu.user", "no.such"], "alpha(@,0.5)", 'color(@,"red")', "dashed(@)", "dashed(@,2)", "drawAsInfinite(@)", "lineWidth(@,2)", "secondYAxis(@)", "stacked(@)", 'stacked(@,"x")')
add("areaBetween(web.h{1,2}.cpu.user)", "areaBetween(web.*.cpu.user)", "threshold(5)", 'threshold(5,"limit")', 'threshold(5.5,"limit","red")', 'verticalLine("00:30 20200913")')
add(*[f"verticalLine({given})" for given in ['"12:30 20200913"', '"12:30_20200913","deploy"', '"12:40 20200913","deploy","red"', '"-5min","five"', '"-5mins",label="l"', '"now","now"', '"-20min","first"', '"-21min","early"', '"+1min","late"', '1600000500,"number"', '"1600000500","text"', '"12:45pm","night"', '"noon","noon"', '"six","no time"', '"-5min","(a.b)"', '']], "group(verticalLine('-5min','x'),web.h1.cpu.user)", "alias(verticalLine('-5min','x'),'y')", "sumSeries(verticalLine('-5min','x'),verticalLine('-6min','y'))")
each(["web.*.cpu.user", "big.a", "void.*", "group(void.at_all,neg.a,big.a)", "same.*", "cnt.up", "few.*", "alias(fast.x,'\u00e9\u00e9')", "no.such"], *[f"cactiStyle(@{more})" for more in ["", ",'si'", ",'binary'", ",'si','b'", ",'binary','B/s'", ",units='b'", ",none,'req'", ",'','x'", ",'sec'", ",'none'", ",'msec','u'", ",'nope'", ",system='si',units='%'"]], "alias(cactiStyle(@,'si'),'short')", "cactiStyle(scale(@,1234.5),'si')", "cactiStyle(scale(@,-1e7),'binary','b')", "cactiStyle(cactiStyle(@))")

# Special
add("constantLine(5)", "constantLine(1.5)", "constantLine(-2)", 'time("x")', 'time("x",120)', 'timeFunction("x")', 'sin("x",2)', 'sinFunction("x",5,120)', 'identity("x")', "fallbackSeries(no.such,web.h1.cpu.user)", "fallbackSeries(web.h2.cpu.user,constantLine(3))", 'events("*")', "events('deploy')", "events('web')", "events('deploy','web')", "events('web','deploy')", "events('nope')", "events('deploy','nope')", "events('*','web')", "events('a-b')", "events('deploy web')", "events()", "events('')", "summarize(events('*'),'5min','sum')", "drawAsInfinite(events('deploy'))", "alias(events('deploy'),'deploys')", "sumSeries(events('web'),events('db'))", "hitcount(events('*'),'10min')", "movingSum(events('*'),60)", "timeShift(events('*'),'1h')", "integral(events('deploy'))", "isNonNull(events('web'))",  'template(web.$host.cpu.user,host="h2")', "template(web.$1.cpu.user,'h3')", 'template(constantLine($n),n="7")', "secondYAxis(web.h1.cpu.user)")

# Syntax
add("web.h1.cpu.user|scale(2)", "web.*.cpu.user|sumSeries()|alias('all')", 'web.*.cpu.user|aliasByNode(1)|movingAverage("5min")', "scale( web.h1.cpu.user , 2 )", "scale(web.h1.cpu.user,.5)", "scale(web.h1.cpu.user,factor=3)", "scale(seriesList=web.h1.cpu.user,factor=3)", "alias(web.h1.cpu.user,'it\\'s')", "sumSeries(web.{h1,h2}.cpu.{user,system})", "scale(web.h1.cpu.user,inf)", "nope(web.h1.cpu.user)", "scale(web.h1.cpu.user)", "scale(web.h1.cpu.user,'x')", "scale(web.h1.cpu.user,2,3)", "scale(web.h1.cpu.user,nope=3)", "summarize(web.h1.cpu.user,\"5min\",\"sum\",TRUE)", "summarize(web.h1.cpu.user,\"5min\",\"sum\",False)", "alias(sumSeries(web.*.cpu.user),\"a,b(c)\")", "web.h1.cpu.user;x", "stats.timers.db-1.p95", "group(web.h1.cpu.user,group(web.h2.cpu.user,fast.x))", "aliasByNode(group(web.h1.cpu.user,scale(web.h2.cpu.user,2)),1)", "movingAverage(sumSeries(web.*.cpu.user),3)", "sumSeries(movingAverage(web.*.cpu.user,3))", "derivative(movingAverage(cnt.a,'3min'))", "timeShift(movingAverage(web.h1.cpu.user,3),'10min')", "movingAverage(timeShift(web.h1.cpu.user,'10min'),3)", "summarize(timeShift(web.h1.cpu.user,'1h'),'5min','sum')", "asPercent(summarize(web.h1.cpu.user,'5min'),summarize(web.h2.cpu.user,'5min'))", "holtWintersForecast(sumSeries(web.*.cpu.user))")


#: What the request's zone makes a difference to.
ZONED = ["smartSummarize(web.*.cpu.user,'1h','avg','hours')", "smartSummarize(web.*.cpu.user,'1d','sum','days')", "smartSummarize(fast.x,'1d','max','weeks')", "smartSummarize(fast.x,'1w','sum','weeks3')", "smartSummarize(slow.x,'1d','sum','months')", "hitcount(web.*.cpu.user,'1h',true)", "hitcount(fast.x,'1d',alignToInterval=true)", "hitcount(fast.x,'10min',true)", "integralByInterval(web.h1.cpu.user,'1h')", "integralByInterval(fast.y,'1d')", "timeSlice(web.h1.cpu.user,'11:00_20200913','12:00_20200913')", "timeSlice(slow.x,'-2h','-30min')", "verticalLine('-30min','line')", "linearRegression(cnt.up)", "linearRegression(cnt.up,'-2h')", "linearRegression(cnt.up,'-2h','-1h')", "timeFunction('t',600)", "sinFunction('s',3,600)", "identity('i')", "randomWalk('r')|scale(0)", "summarize(fast.x,'1h','sum')", "timeShift(web.h1.cpu.user,'1h')", "movingAverage(fast.x,'10min')", "constantLine(5)", "sumSeries(web.*.cpu.user,slow.x)"]
#: What dashboards have: functions in each other, of what is counted, measured and missing.
TOGETHER = ["aliasByNode(scale(perSecond(cnt.*),8),1)", "alias(scale(sumSeries(perSecond(cnt.*)),8),'net')", "aliasByNode(nonNegativeDerivative(keepLastValue(cnt.*)),1)", "summarize(nonNegativeDerivative(cnt.*),'5min','sum')", "aliasByNode(movingAverage(nonNegativeDerivative(cnt.*),'10min'),1)", "integral(transformNull(few.*,0))", "alias(integral(hitcount(fast.x,'1min')),'total')", "sumSeries(transformNull(few.*,0))", "groupByNode(summarize(fast.*,'5min','sum'),0,'sum')", "aliasByNode(groupByNode(perSecond(web.*.mem.used),1,'sum'),0)", "alias(asPercent(sumSeries(web.*.cpu.user),sumSeries(web.*.mem.used)),'share')", "alias(divideSeries(sumSeries(web.*.cpu.*),countSeries(web.*.cpu.*)),'mean')", "diffSeries(web.h1.cpu.user,timeShift(web.h1.cpu.user,'30min'))", "asPercent(web.h1.cpu.user,timeShift(web.h1.cpu.user,'30min'))", "movingAverage(timeShift(web.*.cpu.user,'20min'),5)", "timeShift(movingAverage(web.*.cpu.user,5),'20min')", "alias(consolidateBy(sumSeries(fast.*),'sum'),'all')", "consolidateBy(maxSeries(fast.*),'max')", "scaleToSeconds(nonNegativeDerivative(cnt.*),1)", "fallbackSeries(movingAverage(no.such,10),constantLine(1))", "legendValue(movingAverage(web.*.cpu.user,5),'avg','max')", "perSecond(scale(movingAverage(web.*.cpu.user,'10min'),0.5))", "changed(scale(movingAverage(web.*.cpu.user,'10min'),0.5))", "offsetToZero(scale(movingAverage(web.*.cpu.user,'10min'),0.5))", "cactiStyle(scale(movingAverage(web.*.cpu.user,'10min'),0.5))", "highestAverage(movingMedian(web.*.*.*,5),3)", "limit(sortByMaxima(nonNegativeDerivative(web.*.*.*)),3)", "averageSeries(web.*.cpu.user,timeShift(web.*.cpu.user,'1h'))", "removeEmptySeries(removeAboveValue(web.*.*.*,20),0.5)", "applyByNode(web.*.cpu.user,1,'asPercent(web.%.cpu.user,web.%.mem.used)','%')", "aliasSub(groupByNodes(web.*.cpu.*,'sum',1,3),'h([0-9])','host \\1')", "movingSum(summarize(fast.*,'1min','avg'),5)", "stdev(transformNull(few.*,0),5)", "stdev(fast.y,5)", "powSeries(cnt.a,cnt.a,same.zero)", "movingAverage(constantLine(5),7)", "keepLastValue(summarize(few.a,'2min','max'),2)", "weightedAverage(web.*.cpu.user,movingAverage(web.*.mem.used,3),1)", "secondYAxis(alias(scale(averageSeries(web.*.mem.used),0.01),'mem'))", "sumSeriesWithWildcards(perSecond(web.*.*.*),1)", "aliasByNode(aliasSub(web.*.cpu.user,'cpu','CPU'),1,2)", "currentAbove(movingAverage(web.*.*.*,3),15)", "nPercentile(removeBelowPercentile(web.*.cpu.user,50),95)", "hitcount(transformNull(fast.y,1),'2min')", "timeStack(sumSeries(web.*.cpu.user),'10min',0,3)", "smartSummarize(perSecond(cnt.up),'10min','max')"]


def queries():
    short = {"from": NOW - 1200, "until": NOW}
    for target in targets:
        yield {"target": target, **short}
    for target in ZONED:
        for zone in ["America/New_York", "Asia/Kolkata", "Pacific/Auckland"]:
            yield {"target": target, "from": NOW - 7200, "until": NOW - 600, "tz": zone}
    for target in TOGETHER:
        yield {"target": target, **short}
        yield {"target": target, "from": NOW - 10803, "until": NOW - 3607, "maxDataPoints": 100}
        yield {"target": target, "from": NOW - 3600, "until": NOW + 1800}
    odd = ["web.*.cpu.user", "fast.x", "slow.*", "sumSeries(web.*.cpu.user)", "movingAverage(fast.x,6)", "summarize(fast.x,'5min','sum')", "consolidateBy(fast.x,'max')", "consolidateBy(fast.y,'sum')", "consolidateBy(cnt.up,'last')", "consolidateBy(fast.y,'avg_zero')", "consolidateBy(fast.x,'first')", "sumSeries(fast.*,slow.*)", "derivative(cnt.up)", "setXFilesFactor(fast.y,0.9)", "timeShift(fast.x,'10min')", "group(fast.x,slow.x,web.h1.cpu.user)"]
    for target in odd:
        for most in [1, 2, 7, 10, 19, 20, 60, 119, 120, 1000]:
            for start, end in [(NOW - 1200, NOW), (NOW - 1207, NOW - 13), (NOW - 600, NOW - 590)]:
                yield {"target": target, "from": start, "until": end, "maxDataPoints": most}
        yield {"target": target, "from": NOW - 1207, "until": NOW - 13}
        yield {"target": target, "from": NOW - 7200, "until": NOW - 3600}
        yield {"target": target, "from": NOW - 900, "until": NOW, "noNullPoints": "1"}
        yield {"target": target, "from": NOW - 900, "until": NOW, "xFilesFactor": "0.8"}
    for target in ["groupByNode(web.*.cpu.*,1,'sum')", "groupByNode(fast.*,0,'sumSeries')", "sumSeriesWithWildcards(web.*.*.*,1)", "asPercent(fast.*,slow.x)", "aggregateSeriesLists(fast.*,slow.*,'avg',0.2)", "sumSeriesLists(few.*,neg.*)", "weightedAverage(web.*.cpu.user,web.*.mem.used,1)", "reduceSeries(mapSeries(web.*.cpu.*,1),'diffSeries',3,'user','system')", "divideSeries(fast.y,slow.x)", "removeEmptySeries(few.*)", "countSeries(few.*)"]:
        for factor in ["0", "0.3", "0.8", "1"]:
            yield {"target": target, "from": NOW - 900, "until": NOW, "xFilesFactor": factor}


def value_at(name, time):
    """The value of a series in the slot that begins at a time."""
    kind, seed, step = SERIES[name]
    return value(kind, seed, time // step)


def finder_module():
    """A finder of the series above, whose slots are those of whisper's fetch."""
    import fnmatch

    from graphite.finders import expand_braces
    from graphite.finders.utils import BaseFinder
    from graphite.intervals import Interval, IntervalSet
    from graphite.node import BranchNode, LeafNode
    from graphite.readers.utils import BaseReader

    class Reader(BaseReader):
        def __init__(self, name):
            self.name = name

        def get_intervals(self):
            return IntervalSet([Interval(0, NOW)])

        def fetch(self, start, end, now=None, requestContext=None):
            step = SERIES[self.name][2]
            first, last = (int(time) // step * step + step for time in (start, end))
            last = last + step if last == first else last
            return (first, last, step), [value_at(self.name, time) for time in range(first, last, step)]

    class Finder(BaseFinder):
        def find_nodes(self, query):
            nodes = query.pattern.split(".")
            found = set()
            for name in SERIES:
                parts = name.split(".")
                head = parts[: len(nodes)]
                fits = all(any(fnmatch.fnmatchcase(part, form) for form in expand_braces(node)) for part, node in zip(head, nodes))
                if fits and len(head) == len(nodes):
                    found.add((".".join(head), len(parts) == len(nodes)))
            for path, is_leaf in sorted(found):
                yield LeafNode(path, Reader(path)) if is_leaf else BranchNode(path)

    Finder.Reader = Reader
    return Finder


def start(root):
    """graphite-web in this process; a client of it."""
    os.environ["GRAPHITE_ROOT"] = root
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite.settings"
    os.environ["GRAPHITE_SETTINGS_MODULE"] = "golden_settings"
    for folder in ("storage/log/webapp", "conf", "storage/whisper"):
        os.makedirs(os.path.join(root, folder))
    settings = f"""
SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
TIME_ZONE = "UTC"
STORAGE_FINDERS = ("golden_finder.Finder",)
LOG_DIR = {root + "/storage/log/webapp"!r}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {root + "/db.sqlite"!r}}}}}
"""
    with open(os.path.join(root, "golden_settings.py"), "w") as file:
        file.write(settings)
    with open(os.path.join(root, "golden_finder.py"), "w") as file:
        file.write("import golden\nFinder = golden.finder_module()\n")
    sys.path.insert(0, root)
    sys.modules["golden"] = sys.modules["__main__"]
    import django
    from django.core.management import call_command
    from django.test import Client

    django.setup()
    stop_the_clock()
    call_command("migrate", run_syncdb=True, verbosity=0)
    note_events()
    return Client(raise_request_exception=False)


def note_events():
    import datetime

    from graphite.events.models import Event

    for when, what, tags in EVENTS:
        Event.objects.create(when=datetime.datetime.fromtimestamp(when, datetime.timezone.utc), what=what, tags=" ".join(tags), data="")


def stop_the_clock():
    """Functions that read a time by themselves do so at the real now; here it is NOW to them too."""
    import datetime

    from graphite.render import functions

    read = functions.parseATTime
    now = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    functions.parseATTime = lambda text, tzinfo=None, now=now: read(text, tzinfo, now.astimezone(tzinfo) if tzinfo else now)


def answer(response):
    """The answer without what all have in common."""
    if response.status_code != 200:
        return {"status": response.status_code, "error": response.content.decode()[:300]}
    rows = json.loads(response.content.decode().replace("1e9999", "Infinity"))
    return {"series": [row(one) for one in rows]}


def row(one):
    points = one["datapoints"]
    times = [time for _, time in points]
    return {"target": one["target"], "tags": one["tags"], "times": times if len(times) < 3 else [times[0], times[1] - times[0]], "values": [value for value, _ in points]}


def main():
    with tempfile.TemporaryDirectory() as root:
        client = start(root)
        if sys.argv[1:] == ["names"]:
            from graphite.functions import SeriesFunctions

            print("\n".join(sorted(SeriesFunctions())))
            return
        for query in queries():
            response = client.get("/render", {**query, "format": "json", "now": NOW, "noCache": "1"})
            if response.status_code == 500:
                # It has failed, which is no answer to be matched.
                continue
            print(json.dumps({"query": query, **answer(response)}, separators=(",", ":")).replace("Infinity", "1e9999"))


if __name__ == "__main__":
    main()
