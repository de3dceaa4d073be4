#!/usr/bin/env python3
"""Checks backtest results against a second implementation that shares nothing with the first.

    check_results.py BINARY CSV [CSV ...]

For each CSV file (of market data, read now) and each case below, runs

    BINARY backtest run --config CASE.json --csv CSV --json

and computes the same run here, from the written rules alone: how rows become bars, what the
strategies decide, sizing, risk limits, fills, costs and metrics. Orders, fills, equity and amounts
must agree to the last decimal, ratios to 1e-9. Only Python's standard library is used; amounts are
exact decimals and statistics exact fractions, so that the two differ in method as well.
"""
import argparse
import csv
import datetime
import decimal
import hashlib
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile

D = decimal.Decimal
decimal.getcontext().prec = 60
EIGHTH = D("0.00000001")
DAY_NS = 86_400 * 10**9
DATE_FORMS = ("%Y-%m-%d", "%d-%b-%y", "%b %d %Y", "%m/%d/%Y")
BARS_A_YEAR = {"1d": 252, "1w": 52, "1mo": 12}

CASES = [
    {"strategy": {"name": "buy_and_hold", "params": {}}},
    {"strategy": {"name": "mean_reversion", "params": {}}},
    {"strategy": {"name": "mean_reversion",
                  "params": {"lookback": 10, "z_threshold": 1.25, "allow_short": True}}},
    {"strategy": {"name": "mean_reversion",
                  "params": {"lookback": 5, "z_threshold": 1.0, "position_pct": 0.3}},
     "brokerage": {"params": {"slippage_bps": 7.5, "commission_rate": 0.0012}},
     "risk": {"max_position_pct": 0.35, "max_daily_loss_pct": 0.004, "max_drawdown_pct": 0.06}},
    {"strategy": {"name": "buy_and_hold", "params": {"position_pct": 0.95}},
     "session": {"initial_cash": 12345.67}, "risk": {"max_position_pct": 1}},
]


def rounded(value):
    """Half away from zero at the eighth decimal."""
    return value.quantize(EIGHTH, rounding=decimal.ROUND_HALF_UP)


# ---- ingestion -------------------------------------------------------------------------------

def parse_date(text):
    for form in DATE_FORMS:
        try:
            day = datetime.datetime.strptime(text, form)
        except ValueError:
            continue
        return int(day.replace(tzinfo=datetime.timezone.utc).timestamp()) * 10**9
    return None


def parse_row(row):
    """(time, open, high, low, close, volume), or None if the row must be rejected."""
    try:
        close = D(row["price"] if "close" not in row else row["close"])
        prices = [D(row.get(name, close)) for name in ("open", "high", "low")] + [close]
        volume = D(row.get("volume", 0))
    except (decimal.InvalidOperation, TypeError):
        return None
    if any(x.is_nan() for x in prices + [volume]) or min(prices) <= 0 or volume < 0:
        return None
    time = parse_date(row["date"])
    if time is None or prices[1] < prices[2]:
        return None
    return (time, *[rounded(p) for p in prices], rounded(volume))


def read_csv(path):
    """{symbol: bars in order of time}, the interval, and how many rows were rejected."""
    series, rejected = {}, 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames]
        for row in reader:
            bar = parse_row({k: (v or "").strip() for k, v in row.items() if k is not None})
            symbol = row.get("symbol") or pathlib.Path(path).stem.upper()
            bars = series.setdefault(symbol + ".LOCAL", {})
            if bar is None or bar[0] in bars:
                rejected += 1
            else:
                bars[bar[0]] = bar
    series = {symbol: sorted(bars.values()) for symbol, bars in sorted(series.items())}
    bars = next(iter(series.values()))
    gap = sorted(b[0] - a[0] for a, b in zip(bars, bars[1:]))[(len(bars) - 1) // 2] / DAY_NS
    return series, "1d" if gap < 5 else "1w" if gap < 20 else "1mo", rejected


def plain(number):
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def data_hash(series, interval):
    digest = hashlib.sha256()
    for symbol, bars in series.items():
        for bar in bars:
            fields = [symbol, interval, str(bar[0])] + [plain(number) for number in bar[1:]]
            digest.update((",".join(fields) + "\n").encode())
    return digest.hexdigest()


# ---- the run ---------------------------------------------------------------------------------

class Account:
    def __init__(self, cash):
        self.cash, self.held, self.mark = cash, {}, {}

    def equity(self):
        return self.cash + self.exposures(lambda value: value)

    def gross(self):
        return self.exposures(abs)

    def exposures(self, sign):
        return sum((sign(rounded(self.mark[s] * q)) for s, q in self.held.items()), D(0))


class Run:
    def __init__(self, case):
        section = lambda name, key: case.get(name, {}).get(key, {})
        params = section("strategy", "params")
        self.name = case["strategy"]["name"]
        self.lookback = params.get("lookback", 20)
        self.threshold = params.get("z_threshold", 2.0)
        self.share = D(str(params.get("position_pct", 0.10)))
        self.allow_short = params.get("allow_short", False)
        costs = section("brokerage", "params")
        self.slippage = D(str(costs.get("slippage_bps", 2))) / 10_000
        self.commission = D(str(costs.get("commission_rate", 0.0005)))
        risk = case.get("risk", {})
        limit = lambda key, default: D(str(risk.get(key, default)))
        self.max_position = limit("max_position_pct", 0.20)
        self.max_gross = limit("max_gross_exposure", 1.0)
        self.max_daily_loss = limit("max_daily_loss_pct", 0.03)
        self.max_drawdown = limit("max_drawdown_pct", 0.15)
        self.initial = D(str(case.get("session", {}).get("initial_cash", 100_000)))
        self.account = Account(self.initial)
        self.peak = self.day_start = self.last_equity = self.initial
        self.day = None
        self.closes, self.waiting = {}, []  # waiting: orders that no bar has met
        self.orders, self.fills, self.curve, self.refused, self.numbered = [], [], [], 0, 0

    # Costs of trading, and what the account may spend.
    def slipped(self, price, side):
        return rounded(price * (1 + self.slippage if side == "buy" else 1 - self.slippage))

    def cost(self, price, quantity):
        notional = rounded(price * quantity)
        return notional + rounded(notional * self.commission)

    def opening(self, order):
        held = self.account.held.get(order["symbol"], D(0))
        closable = max(held, D(0)) if order["side"] == "sell" else max(-held, D(0))
        return order["quantity"] - min(closable, order["quantity"])

    def affordable(self, order, price):
        opening = self.opening(order)
        if opening == 0:
            return True
        if order["side"] == "sell" and not self.allow_short:
            return False
        others = [o for o in self.waiting if o is not order]
        reserved = sum((self.cost(o["judged_at"], self.opening(o)) for o in others), D(0))
        power = self.account.equity() - self.account.gross() - reserved
        return self.cost(price, opening) <= power

    def meet(self, order, time, bar):
        """A market order of an earlier bar meets the open of this one."""
        price = self.slipped(bar[1], order["side"])
        affordable = self.affordable(order, price)
        self.waiting.remove(order)
        if not affordable:
            order["status"] = "rejected"
            return
        quantity, symbol = order["quantity"], order["symbol"]
        notional = rounded(price * quantity)
        commission = rounded(notional * self.commission)
        signed = quantity if order["side"] == "buy" else -quantity
        self.account.cash -= notional * (1 if signed > 0 else -1) + commission
        self.account.held[symbol] = self.account.held.get(symbol, D(0)) + signed
        self.account.mark[symbol] = price
        order["status"] = "filled"
        self.fills.append((time, order["number"], symbol, order["side"], quantity, price, commission))

    # What the strategies say, in words: see the table of strategies in the documentation.
    def signal(self, symbol):
        closes, held = self.closes[symbol], self.account.held.get(symbol, D(0))
        if self.name == "buy_and_hold":
            return "buy" if len(closes) == 1 and held == 0 else None
        if len(closes) <= self.lookback:
            return None
        window = [float(close) for close in closes[-self.lookback:]]
        deviation = statistics.stdev(window)
        z = (window[-1] - statistics.mean(window)) / deviation if deviation > 0 else 0.0
        if held == 0:
            if z <= -self.threshold:
                return "buy"
            return "sell" if self.allow_short and z >= self.threshold else None
        return "leave" if (z >= 0 if held > 0 else z <= 0) else None

    def allowed(self, symbol, side, quantity, close, equity):
        held = self.account.held.get(symbol, D(0))
        after = held + (quantity if side == "buy" else -quantity)
        if abs(after) < abs(held) and after * held >= 0:
            return True  # smaller: never blocked
        projected = dict(self.account.held)
        for order in self.waiting:
            change = order["quantity"] if order["side"] == "buy" else -order["quantity"]
            projected[order["symbol"]] = projected.get(order["symbol"], D(0)) + change
        marks = {**{o["symbol"]: o["close"] for o in self.waiting}, **self.account.mark}
        gross = sum((rounded(marks[s] * abs(q)) for s, q in projected.items()), D(0))
        gross += rounded(close * abs(after)) - rounded(close * abs(held))
        loss = (self.day_start - equity) / self.day_start
        drawdown = (self.peak - equity) / self.peak
        return (rounded(close * abs(after)) <= rounded(equity * self.max_position)
                and gross <= rounded(equity * self.max_gross)
                and rounded(loss) <= self.max_daily_loss
                and rounded(drawdown) <= self.max_drawdown)

    def decide(self, time, symbol, close, equity):
        signal = self.signal(symbol)
        if signal is None or any(o["symbol"] == symbol for o in self.waiting):
            return None
        held = self.account.held.get(symbol, D(0))
        if signal == "leave":
            side, quantity = ("sell" if held > 0 else "buy"), abs(held)
        else:
            side, quantity = signal, D(int(rounded(equity * self.share) // close))
        if quantity == 0:
            return None
        self.numbered += 1
        return {"number": self.numbered, "symbol": symbol, "side": side, "quantity": quantity,
                "close": close, "time": time, "status": "new",
                "judged_at": self.slipped(close, side)}

    def step(self, time, bars):
        for order in list(self.waiting):
            if order["symbol"] in bars:
                self.meet(order, time, bars[order["symbol"]])
        for symbol, bar in bars.items():
            self.account.mark[symbol] = bar[4]
            self.closes.setdefault(symbol, []).append(bar[4])
        equity = self.account.equity()
        if time // DAY_NS != self.day:
            self.day, self.day_start = time // DAY_NS, self.last_equity
        self.peak = max(self.peak, equity)
        self.last_equity = equity
        decided = [self.decide(time, symbol, bar[4], equity) for symbol, bar in bars.items()]
        for order in filter(None, decided):
            if not self.allowed(order["symbol"], order["side"], order["quantity"], order["close"],
                                equity):
                self.refused += 1
                continue
            self.orders.append(order)
            if self.affordable(order, order["judged_at"]):
                self.waiting.append(order)
            else:
                order["status"] = "rejected"
        self.curve.append((time, equity))

    def play(self, series):
        by_time = {}
        for symbol, bars in series.items():  # symbols are sorted, so each step's bars are
            for bar in bars:
                by_time.setdefault(bar[0], {})[symbol] = bar
        for time in sorted(by_time):
            self.step(time, by_time[time])

    def metrics(self, interval):
        equity = [float(value) for _, value in self.curve]
        initial, year = float(self.initial), BARS_A_YEAR[interval]
        returns = [b / a - 1 for a, b in zip(equity, equity[1:])]
        peaks = [max([initial] + equity[:i + 1]) for i in range(len(equity))]
        worst = max((p - e) / p for p, e in zip(peaks, equity))
        mean, deviation = statistics.fmean(returns), statistics.stdev(returns)
        below = math.sqrt(math.fsum(min(r, 0) ** 2 for r in returns) / len(returns))
        growth = (equity[-1] / equity[0]) ** (year / len(returns)) - 1
        traded = math.fsum(float(f[4] * f[5]) for f in self.fills)
        return {
            "total_return": equity[-1] / initial - 1,
            "max_drawdown": worst,
            "annual_volatility": deviation * math.sqrt(year),
            "sharpe": math.sqrt(year) * mean / deviation if deviation > 0 else None,
            "sortino": math.sqrt(year) * mean / below if below > 0 else None,
            "calmar": growth / worst if worst > 0 else None,
            "turnover": traded / statistics.fmean(equity) * year / len(returns),
        }


# ---- comparison ------------------------------------------------------------------------------

def to_ns(text):
    whole, _, fraction = text.rstrip("Z").partition(".")
    day = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S")
    seconds = int(day.replace(tzinfo=datetime.timezone.utc).timestamp())
    return seconds * 10**9 + int((fraction or "0").ljust(9, "0"))


class Differences:
    def __init__(self):
        self.found = []

    def equal(self, what, theirs, ours):
        if theirs != ours:
            self.found.append(f"{what}: the binary says {theirs}, the rules say {ours}")

    def close(self, what, theirs, ours):
        same = (theirs is None) == (ours is None) and (
            ours is None or math.isclose(theirs, ours, rel_tol=1e-9, abs_tol=1e-12))
        if not same:
            self.found.append(f"{what}: the binary says {theirs}, the rules say {ours}")

    def lists(self, what, theirs, ours):
        self.equal(f"number of {what}", len(theirs), len(ours))
        for i, (a, b) in enumerate(zip(theirs, ours)):
            if a != b:
                self.found.append(f"{what}[{i}]: the binary says {a}, the rules say {b}")
                return


def compare(result, run, series, interval):
    differences = Differences()
    differences.equal("dataset_hash", result["dataset_hash"], data_hash(series, interval))
    differences.equal("bars_count", result["bars_count"], sum(map(len, series.values())))
    differences.equal("refused", result["refused"], run.refused)
    number = lambda item: int(item["client_order_id"].rsplit("-", 1)[1])
    differences.lists("orders", [
        (number(o), o["symbol"], o["side"], D(o["quantity"]), o["status"], to_ns(o["created"]))
        for o in result["orders"]], [
        (o["number"], o["symbol"], o["side"], o["quantity"], o["status"], o["time"])
        for o in run.orders])
    differences.lists("fills", [
        (to_ns(f["time"]), number(f), f["symbol"], f["side"], D(f["quantity"]), D(f["price"]),
         D(f["commission"])) for f in result["fills"]], run.fills)
    differences.lists("equity_curve", [(to_ns(point[0]), D(point[1]))
                                       for point in result["equity_curve"]], run.curve)
    differences.equal("final_equity", D(result["final_equity"]), run.curve[-1][1])
    metrics = run.metrics(interval)
    differences.equal("names of metrics", sorted(result["metrics"]), sorted(metrics))
    for name, value in metrics.items():
        differences.close(name, result["metrics"].get(name), value)
    return differences.found


def check(binary, path, case, folder):
    series, interval, _ = read_csv(path)
    document = {**case, "feed": {"params": {"interval": interval}}}
    config = pathlib.Path(folder) / "case.json"
    config.write_text(json.dumps(document))
    command = [binary, "backtest", "run", "--config", str(config), "--csv", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        return [f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()}"], ""
    run = Run(case)
    run.play(series)
    found = compare(json.loads(done.stdout), run, series, interval)
    return found, (f"{len(run.curve)} steps, {len(run.orders)} orders, {len(run.fills)} fills, "
                   f"{run.refused} refused, equity {run.curve[-1][1].normalize():f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("csv", nargs="+")
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.csv:
            for case in CASES:
                found, summary = check(arguments.binary, path, case, folder)
                name = f"{pathlib.Path(path).name} {json.dumps(case['strategy'])}"
                print(f"{'FAILED' if found else 'ok    '} {name}: {summary}")
                for line in found:
                    print(f"       {line}")
                failed |= bool(found)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
