#!/usr/bin/env python3
"""alpaca-py, unchanged, trades at the simulated exchange: REST, the order stream, bars and their
stream (in MessagePack, as it asks for them).

usage: alpaca_py.py ALPHASWARM
"""
import asyncio
import datetime
import pathlib
import queue
import sys
import tempfile
import threading

import requests
from alpaca.common.exceptions import APIError
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.live import StockDataStream
from alpaca.data.requests import StockBarsRequest
from alpaca.data.timeframe import TimeFrame
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, OrderStatus, QueryOrderStatus, TimeInForce
from alpaca.trading.requests import (ClosePositionRequest, GetCalendarRequest, GetOrdersRequest,
                                     GetPortfolioHistoryRequest, LimitOrderRequest,
                                     MarketOrderRequest, ReplaceOrderRequest, StopLimitOrderRequest)
from alpaca.trading.stream import TradingStream

from support import free_ports, server

SYMBOL = "AAPL.NASDAQ"
KEYS = {"APCA-API-KEY-ID": "interop", "APCA-API-SECRET-KEY": "secret"}
FIRST_DAY = datetime.date(2020, 1, 1)


class Market:
    """What a session does: it moves the exchange's market, a day at a time."""

    def __init__(self, url: str):
        self.url, self.index = url, 0

    def day(self, price: float) -> None:
        bar = {"symbol": SYMBOL, "t": f"{FIRST_DAY + datetime.timedelta(self.index)}T00:00:00Z",
               "o": price, "h": price + 1, "l": price - 1, "c": price, "v": 1000}
        reply = requests.post(f"{self.url}/sim/v1/advance", headers=KEYS, timeout=20,
                              json={"bar_index": self.index, "bars": [bar]})
        assert reply.status_code == 200, reply.text
        self.index += 1


def refused(call) -> tuple[int, int, str]:
    """Status, code and message of the error that `call` must raise."""
    try:
        call()
    except APIError as error:
        return error.status_code, error.code, error.message
    raise AssertionError("nothing was refused")


def name(update) -> str:
    return getattr(update.event, "value", update.event)


def limit(client, price: float, quantity: float = 10, **more):
    return client.submit_order(LimitOrderRequest(
        symbol=SYMBOL, qty=quantity, side=OrderSide.BUY, time_in_force=TimeInForce.GTC,
        limit_price=price, **more))


def orders(client, market: Market, updates: queue.Queue) -> None:
    bought = client.submit_order(MarketOrderRequest(
        symbol=SYMBOL, qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY,
        client_order_id="first"))
    assert bought.status == OrderStatus.NEW and bought.client_order_id == "first", bought
    market.day(101)
    filled = client.get_order_by_id(bought.id)
    assert filled.status == OrderStatus.FILLED and float(filled.filled_avg_price) == 101.0202, filled
    assert client.get_order_by_client_id("first").id == bought.id
    events = [updates.get(timeout=20) for _ in range(2)]
    assert [name(each) for each in events] == ["new", "fill"], events
    assert events[1].order.id == bought.id and events[1].price == 101.0202, events[1]
    assert events[1].qty == 10 and events[1].position_qty == 10 and events[1].execution_id

    resting = limit(client, 50)
    moved = client.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=20, limit_price=60))
    assert moved.id != resting.id and moved.replaces == resting.id, moved
    assert (moved.qty, moved.limit_price) == ("20", "60"), moved
    old = client.get_order_by_id(resting.id)
    assert old.status == OrderStatus.REPLACED and old.replaced_by == moved.id, old
    assert refused(lambda: client.replace_order_by_id(resting.id, ReplaceOrderRequest(qty=5)))[0] == 422
    assert refused(lambda: client.replace_order_by_id(
        moved.id, ReplaceOrderRequest(qty=900000)))[0] == 403
    assert [each.id for each in client.get_orders()] == [moved.id]
    assert [name(updates.get(timeout=20)) for _ in range(3)] == ["new", "replaced", "new"]

    client.cancel_order_by_id(moved.id)
    assert client.get_order_by_id(moved.id).status == OrderStatus.CANCELED
    client.submit_order(StopLimitOrderRequest(
        symbol=SYMBOL, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, limit_price=140,
        stop_price=130))
    limit(client, 40)
    cancelled = client.cancel_orders()
    assert len(cancelled) == 2 and all(each.status == 200 for each in cancelled), cancelled
    assert client.get_orders() == []
    closed = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED, symbols=[SYMBOL]))
    assert len(closed) == 5 and closed[-1].id == bought.id, closed

    assert refused(lambda: limit(client, 50, client_order_id="first")) == (
        422, 40010001, "client_order_id must be unique")
    assert refused(lambda: limit(client, 50, 900000))[0] == 403
    assert refused(lambda: client.get_order_by_id("00000000-0000-4000-8000-000000000000"))[:2] == (
        404, 40410000)


def books(client, market: Market) -> None:
    account = client.get_account()
    assert account.status.value == "ACTIVE" and account.account_number.startswith("SIM"), account
    position = client.get_open_position(SYMBOL)
    assert position.qty == "10" and position.side.value == "long", position
    assert client.get_open_position(position.asset_id).symbol == SYMBOL
    half = client.close_position(SYMBOL, ClosePositionRequest(percentage="50"))
    assert half.qty == "5" and half.side == OrderSide.SELL, half
    market.day(102)
    assert client.get_open_position(SYMBOL).qty == "5"
    closed = client.close_all_positions(cancel_orders=True)
    assert len(closed) == 1 and closed[0].status == 200 and closed[0].body.qty == "5", closed
    market.day(103)
    assert client.get_all_positions() == []
    assert refused(lambda: client.close_position(SYMBOL))[0] == 404

    settings = client.get_account_configurations()
    settings.suspend_trade = True
    assert client.set_account_configurations(settings).suspend_trade
    assert refused(lambda: limit(client, 50))[0] == 403
    settings.suspend_trade = False
    assert not client.set_account_configurations(settings).suspend_trade

    history = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1M", timeframe="1D"))
    assert len(history.timestamp) == len(history.equity) == market.index, history
    assert history.base_value == 100000 and history.equity[0] == 100000, history
    assert history.equity[-1] == float(client.get_account().equity), history


def market_facts(client, url: str, market: Market) -> None:
    assert client.get_clock().is_open
    days = client.get_calendar(GetCalendarRequest(start=FIRST_DAY, end=datetime.date(2020, 1, 10)))
    assert [each.date.day for each in days] == list(range(1, 11)), days
    asset = client.get_asset(SYMBOL)
    assert asset.tradable and client.get_asset(asset.id).symbol == SYMBOL
    assert [each.symbol for each in client.get_all_assets()] == [SYMBOL]
    data = StockHistoricalDataClient("interop", "secret", url_override=url)
    bars = data.get_stock_bars(StockBarsRequest(symbol_or_symbols=SYMBOL, timeframe=TimeFrame.Day,
                                                start=datetime.datetime(2020, 1, 1)))
    closes = [each.close for each in bars[SYMBOL]]
    assert len(closes) == market.index and closes[:2] == [100, 101], bars
    # Page by page, as the service would send them.
    pages, token = [], None
    while len(pages) < 10:
        page = requests.get(f"{url}/v2/stocks/bars", headers=KEYS, timeout=20,
                            params={"symbols": SYMBOL, "timeframe": "1Day", "limit": 3} |
                                   ({"page_token": token} if token else {})).json()
        pages += [each["c"] for each in page["bars"].get(SYMBOL, [])]
        token = page["next_page_token"]
        if token is None:
            break
    assert pages == closes, pages


def streamed_bars(url: str, market: Market) -> None:
    bars, subscribed = queue.Queue(), threading.Event()
    stream = StockDataStream("interop", "secret", url_override=url.replace("http", "ws") + "/v2/iex")

    async def on_bar(bar):
        bars.put(bar)

    original = stream._dispatch

    async def dispatch_and_tell(message):  # tells of the confirmation; nothing else is touched
        if message.get("T") == "subscription":
            subscribed.set()
        await original(message)

    stream._dispatch = dispatch_and_tell
    stream.subscribe_bars(on_bar, SYMBOL)
    thread = threading.Thread(target=stream.run, daemon=True)
    thread.start()
    assert subscribed.wait(20)
    for price in (104.5, 105.25):
        market.day(price)
        bar = bars.get(timeout=20)
        assert (bar.symbol, bar.open, bar.high, bar.volume) == (SYMBOL, price, price + 1, 1000), bar
        day = FIRST_DAY + datetime.timedelta(market.index - 1)
        assert bar.timestamp.date() == day and bar.timestamp.tzinfo is not None, bar
    stream.stop()
    thread.join(20)


def main() -> None:
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "exchange.log"
        with server([sys.argv[1], "exchange", "--port", str(port)], log, lambda text: url in text):
            market = Market(url)
            market.day(100)
            client = TradingClient("interop", "secret", paper=True, url_override=url)
            updates, listening = queue.Queue(), threading.Event()
            stream = TradingStream("interop", "secret", paper=True,
                                   url_override=url.replace("http", "ws") + "/stream")

            async def on_update(update):
                updates.put(update)

            original = stream._start_ws

            async def start_and_tell():  # tells when the stream listens; nothing else is touched
                await original()
                listening.set()

            stream._start_ws = start_and_tell
            stream.subscribe_trade_updates(on_update)
            thread = threading.Thread(target=stream.run, daemon=True)
            thread.start()
            assert listening.wait(20)
            orders(client, market, updates)
            books(client, market)
            market_facts(client, url, market)
            streamed_bars(url, market)
            asyncio.run_coroutine_threadsafe(stream.stop_ws(), stream._loop).result(20)
            thread.join(20)
    print("alpaca-py trades at the simulated exchange")


if __name__ == "__main__":
    main()
