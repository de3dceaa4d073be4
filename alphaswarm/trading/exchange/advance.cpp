// Account::advance and what belongs to it: how an account's market moves.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "alphaswarm/trading/broker/named_uuid.hpp"
#include "alphaswarm/trading/exchange/account.hpp"

namespace alphaswarm::trading::exchange {

namespace json = boost::json;

namespace {

constexpr std::size_t kMaxBars = 1'000;  // in one step
constexpr std::int64_t kDay = 86'400'000'000'000;

ApiResult<SymbolBar> parse_symbol_bar(const json::value& symbol, const json::value& bar) {
  if (!symbol.is_string()) return unprocessable("symbol is required with each bar");
  const Result<VtSymbol> name = VtSymbol::parse(symbol.get_string());
  if (!name) return unprocessable(name.error().message);
  const ApiResult<Bar> values = parse_bar(bar);
  if (!values) return std::unexpected(values.error());
  return SymbolBar{*name, *values};
}

const json::value& field(const json::object& object, std::string_view key) {
  static const json::value absent;
  const json::value* found = object.if_contains(key);
  return found != nullptr ? *found : absent;
}

bool same_bars(const std::vector<SymbolBar>& a, const std::vector<SymbolBar>& b) {
  return std::ranges::equal(a, b, [](const SymbolBar& x, const SymbolBar& y) {
    return x.symbol == y.symbol && x.bar == y.bar;
  });
}

}  // namespace

ApiResult<Account::Batch> Account::parse_batch(std::string_view body) {
  boost::system::error_code malformed;
  const json::value parsed = json::parse(body, malformed);
  if (malformed || !parsed.is_object()) {
    return std::unexpected(ApiError{400, 40010000, "request body must be a JSON object"});
  }
  const json::object& object = parsed.get_object();
  const json::value& index = field(object, "bar_index");
  if (!index.is_int64() || index.get_int64() < 0) {
    return unprocessable("bar_index must be a whole number from 0 on");
  }
  Batch batch{index.get_int64(), {}};
  const json::array* bars = field(object, "bars").if_array();
  if (bars == nullptr) {
    ApiResult<SymbolBar> one = parse_symbol_bar(field(object, "symbol"), field(object, "bar"));
    if (!one) return std::unexpected(one.error());
    batch.bars.push_back(std::move(*one));
    return batch;
  }
  if (bars->empty() || bars->size() > kMaxBars) {
    return unprocessable(fmt::format("bars must hold 1 to {} bars", kMaxBars));
  }
  for (const json::value& item : *bars) {
    const json::object* entry = item.if_object();
    if (entry == nullptr) return unprocessable("bars must hold objects");
    ApiResult<SymbolBar> one = parse_symbol_bar(field(*entry, "symbol"), item);
    if (!one) return std::unexpected(one.error());
    batch.bars.push_back(std::move(*one));
  }
  std::ranges::sort(batch.bars, {}, &SymbolBar::symbol);
  const auto twice = std::ranges::adjacent_find(batch.bars, {}, &SymbolBar::symbol);
  if (twice != batch.bars.end()) {
    return unprocessable(fmt::format("bars: {} comes twice", twice->symbol.text()));
  }
  return batch;
}

// The step this one repeats, or null if it is new.
ApiResult<const Account::Step*> Account::earlier_step(const Batch& batch) const {
  const auto seen = std::ranges::count_if(batch.bars, [&](const SymbolBar& one) {
    const auto listing = listings_.find(one.symbol);
    return listing != listings_.end() && listing->second.last_index >= batch.index;
  });
  if (seen == 0) return nullptr;
  for (auto step = steps_.rbegin(); step != steps_.rend() && step->index >= batch.index; ++step) {
    if (step->index != batch.index) continue;
    if (same_bars(step->bars, batch.bars)) return &*step;
  }
  return unprocessable(fmt::format(
      "bar_index {} went by with other bars, or is not among the last {} (the last was {})",
      batch.index, bounds_.kept_steps, last_index_));
}

ApiResult<void> Account::check_fresh(const Batch& batch) const {
  std::size_t unlisted = 0;
  for (const SymbolBar& one : batch.bars) {
    const auto listing = listings_.find(one.symbol);
    if (listing == listings_.end()) {
      ++unlisted;
    } else if (listing->second.last.timestamp >= one.bar.timestamp) {
      return unprocessable(fmt::format(
          "bar {} of {} at {} is not after the one before ({})", batch.index, one.symbol.text(),
          to_rfc3339(one.bar.timestamp), to_rfc3339(listing->second.last.timestamp)));
    }
  }
  if (listings_.size() + unlisted > bounds_.max_symbols) {
    return unprocessable(fmt::format("an account trades at most {} symbols", bounds_.max_symbols));
  }
  return {};
}

void Account::list(const VtSymbol& symbol, std::int64_t index, const Bar& bar) {
  listings_[symbol] = Listing{index, bar};
  last_index_ = std::max(last_index_, index);
  time_ = std::max(time_, bar.timestamp);
}

std::string Account::step(Batch batch) {
  const std::int64_t day = batch.bars.front().bar.timestamp.value / kDay;
  if (day != time_.value / kDay) day_start_ = engine_.portfolio().equity();
  json::array updates;
  for (const OrderUpdate& update : engine_.advance(batch.bars)) {
    const OrderRequest& request = update.order.request;
    // An order fills at most once in a bar, so this names the execution for good: a session that
    // repeats the bar against an exchange that has forgotten it sees the same execution.
    const std::string execution_id =
        update.fill ? named_uuid(fmt::format("{}/{}/{}", key_id_, request.client_id.value,
                                             update.fill->time.value))
                    : std::string();
    json::object data =
        update_json(update, engine_.portfolio().quantity(request.symbol), execution_id);
    publish(data);
    updates.emplace_back(std::move(data));
  }
  for (const SymbolBar& one : batch.bars) list(one.symbol, batch.index, one.bar);
  note_equity();
  const Portfolio& books = engine_.portfolio();
  std::string body =
      json::serialize(json::object{{"bar_index", batch.index},
                                   {"updates", std::move(updates)},
                                   {"account",
                                    {{"cash", books.cash().to_string()},
                                     {"equity", books.equity().to_string()},
                                     {"buying_power", engine_.buying_power().to_string()}}}});
  steps_.push_back(Step{batch.index, std::move(batch.bars), body});
  publish_bars(steps_.back().bars);
  if (steps_.size() > bounds_.kept_steps) steps_.pop_front();
  return body;
}

ApiResult<Advanced> Account::advance(std::string_view body) {
  ApiResult<Batch> batch = parse_batch(body);
  if (!batch) return std::unexpected(std::move(batch.error()));
  const std::scoped_lock lock(mutex_);
  if (batch->index > 0 && unopened()) return not_opened();
  const ApiResult<const Step*> earlier = earlier_step(*batch);
  if (!earlier) return std::unexpected(earlier.error());
  if (*earlier != nullptr) return Advanced{(*earlier)->body, true};
  if (const ApiResult<void> fresh = check_fresh(*batch); !fresh) {
    return std::unexpected(fresh.error());
  }
  return Advanced{step(std::move(*batch)), false};
}

}  // namespace alphaswarm::trading::exchange
