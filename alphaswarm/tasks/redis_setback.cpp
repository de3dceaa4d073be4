#include "alphaswarm/tasks/redis_setback.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "alphaswarm/base/ids.hpp"
#include "alphaswarm/tasks/task_result.hpp"

namespace alphaswarm::tasks::detail {
namespace {

// Ours: the run of Redis whose loss was seen to (`run`), when it was last seen (`at`), the run that
// has followed (`next`), and when that was noticed (`noticed`).
constexpr char kRun[] = "alphaswarm:broker:run";
constexpr char kRunLock[] = "alphaswarm:broker:run:lock";  // holds who sees to it
constexpr char kLockLife[] = "30000";                      // ms; each step begins it anew

constexpr std::size_t kPage = 1'000;       // messages
constexpr std::size_t kNotedAtOnce = 100;  // messages
constexpr int kQuietRounds = 2;
constexpr int kMostRounds = 20;

// KEYS: what is known of Redis's run, the lock. ARGV: the time, the time before which a new run
// must have been noticed, how long the lock holds, who asks. Gives nothing, or run, since when,
// until when.
constexpr char kFind[] = R"(
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local known = redis.call('HMGET', KEYS[1], 'run', 'at', 'next', 'noticed')
if not known[1] or known[1] == run then
  redis.call('HSET', KEYS[1], 'run', run, 'at', ARGV[1])
  return {}
end
if known[3] ~= run then
  redis.call('HSET', KEYS[1], 'next', run, 'noticed', ARGV[1])
  known[4] = ARGV[1]
end
if tonumber(known[4]) > tonumber(ARGV[2]) then return {} end
if not redis.call('SET', KEYS[2], ARGV[4], 'NX', 'PX', ARGV[3]) then return {} end
return {run, known[2], known[4]})";

// Before each step. KEYS[1]: the lock. ARGV: who should have it, how long it holds from now on. A
// step that finds it with another gives nil. The correlation id is the task's; within a text of the
// message its quotes would be escaped.
constexpr std::string_view kStep = R"lua(
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return false end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local function id_of(message)
  return string.match(message, '"correlation_id"%s*:%s*"([^"]+)"')
end
)lua";

// KEYS[2]: a list. ARGV: first, last. Gives how many messages are there, and their tasks' ids.
constexpr std::string_view kPageOfList = R"(
local messages = redis.call('LRANGE', KEYS[2], ARGV[3], ARGV[4])
local found = {tostring(#messages)}
for _, message in ipairs(messages) do found[#found + 1] = id_of(message) end
return found)";

// KEYS[2]: unacked. ARGV: cursor, about how many. Gives the next cursor, and the tasks' ids.
constexpr std::string_view kPageOfLent = R"(
local page = redis.call('HSCAN', KEYS[2], ARGV[3], 'COUNT', ARGV[4])
local found = {page[1]}
for i = 2, #page[2], 2 do found[#found + 1] = id_of(page[2][i]) end
return found)";

// KEYS: the lock, unacked, unacked_index. ARGV: a time, then for each message its tag, what
// `unacked` is to hold and its result's key. Gives how many were noted.
constexpr std::string_view kNote = R"(
local function ended(key)
  local stored = redis.call('GET', key)
  if not stored then return false end
  local read, result = pcall(cjson.decode, stored)
  local status = read and type(result) == 'table' and result['status']
  return status == 'SUCCESS' or status == 'FAILURE' or status == 'REVOKED'
end
local noted = 0
for i = 4, #ARGV, 3 do
  if not ended(ARGV[i + 2]) and redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('ZADD', KEYS[3], ARGV[3], ARGV[i])
    noted = noted + 1
  end
end
return noted)";

// KEYS[2]: what is known of Redis's run. ARGV: the run whose beginning was seen to, the time.
constexpr std::string_view kForget = R"(
if redis.call('HGET', KEYS[2], 'next') == ARGV[3] then
  redis.call('HSET', KEYS[2], 'run', ARGV[3], 'at', ARGV[4])
end
redis.call('DEL', KEYS[1])
return 1)";

std::string step(std::string_view then) { return std::string(kStep) + std::string(then); }

UnixNanos from_score(const std::string& score) {
  return {static_cast<std::int64_t>(std::strtod(score.c_str(), nullptr) * 1e9)};
}

// The first element of a page is no id.
void strike(std::set<std::string, std::less<>>& ids, const net::RedisReply& page) {
  for (std::size_t i = 1; i < page.elements.size(); ++i) ids.erase(page.elements[i].text);
}

Error overtaken() {
  return {ErrorCode::conflict, "another process sees to what Redis has lost", true};
}

}  // namespace

RedisSetback::RedisSetback(std::shared_ptr<net::RedisClient> client,
                           std::shared_ptr<RedisLoans> loans)
    : client_(std::move(client)),
      loans_(std::move(loans)),
      find_(kFind),
      page_(step(kPageOfList)),
      lent_page_(step(kPageOfLent)),
      note_(step(kNote)),
      forget_(step(kForget)) {}

net::task<Result<std::optional<Setback>>> RedisSetback::find(std::chrono::nanoseconds settled) {
  const UnixNanos now = now_unix();
  std::string owner = random_uuid();
  std::vector<std::string> keys = {kRun, kRunLock};
  std::vector<std::string> arguments = {
      as_score(now), as_score(UnixNanos{now.value - settled.count()}), kLockLife, owner};
  const auto reply = co_await client_->script(find_, std::move(keys), std::move(arguments));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->elements.size() != 3) co_return std::optional<Setback>();
  co_return Setback{reply->elements[0].text, from_score(reply->elements[1].text),
                    from_score(reply->elements[2].text), std::move(owner)};
}

net::task<Result<std::size_t>> RedisSetback::presume_lent_if_missing(std::vector<Delivery> messages,
                                                                     std::chrono::nanoseconds grace,
                                                                     Setback setback) {
  Ids missing;
  Ids lists;
  for (const Delivery& each : messages) {
    missing.insert(each.task_id);
    for (std::size_t i = 0; i < kPrioritySteps.size(); ++i) lists.insert(list_of(each.queue, i));
  }
  const auto looked = co_await strike_out(missing, lists, setback.owner);
  if (!looked) co_return std::unexpected(looked.error());
  std::erase_if(messages, [&](const Delivery& each) { return !missing.contains(each.task_id); });
  const auto noted = co_await note(std::move(messages), grace, setback.owner);
  if (!noted) co_return std::unexpected(noted.error());
  const auto forgotten = co_await forget(setback);
  if (!forgotten) co_return std::unexpected(forgotten.error());
  co_return *noted;
}

net::task<Result<void>> RedisSetback::strike_out(Ids& ids, const Ids& lists,
                                                 const std::string& owner) {
  int quiet = 0;
  for (int round = 0; round < kMostRounds && !ids.empty(); ++round) {
    const auto before = co_await put_backs();
    if (!before) co_return std::unexpected(before.error());
    const auto looked = co_await strike_out_once(ids, lists, owner);
    if (!looked) co_return std::unexpected(looked.error());
    const auto after = co_await put_backs();
    if (!after) co_return std::unexpected(after.error());
    if (*before == *after && ++quiet == kQuietRounds) co_return Result<void>();
  }
  if (ids.empty()) co_return Result<void>();
  co_return fail(ErrorCode::unavailable, "too many messages go back to their queues meanwhile");
}

net::task<Result<void>> RedisSetback::strike_out_once(Ids& ids, const Ids& lists,
                                                      const std::string& owner) {
  // From the newest on: what is pushed meanwhile moves the others towards what was not yet read.
  for (const std::string& list : lists) {
    for (std::size_t first = 0, found = kPage; found == kPage; first += kPage) {
      std::vector<std::string> keys = {kRunLock, list};
      std::vector<std::string> arguments = {owner, kLockLife, std::to_string(first),
                                            std::to_string(first + kPage - 1)};
      const auto page = co_await client_->script(page_, std::move(keys), std::move(arguments));
      if (!page) co_return std::unexpected(page.error());
      if (page->elements.empty()) co_return std::unexpected(overtaken());
      found = std::strtoul(page->elements[0].text.c_str(), nullptr, 10);
      strike(ids, *page);
    }
  }
  std::string cursor = "0";
  do {
    std::vector<std::string> keys = {kRunLock, kUnacked};
    std::vector<std::string> arguments = {owner, kLockLife, cursor, std::to_string(kPage)};
    const auto page = co_await client_->script(lent_page_, std::move(keys), std::move(arguments));
    if (!page) co_return std::unexpected(page.error());
    if (page->elements.empty()) co_return std::unexpected(overtaken());
    cursor = page->elements[0].text;
    strike(ids, *page);
  } while (cursor != "0");
  co_return Result<void>();
}

net::task<Result<std::string>> RedisSetback::put_backs() {
  net::RedisCommand command = {"GET", kPutBacks};
  auto reply = co_await client_->command(std::move(command));
  if (!reply) co_return std::unexpected(reply.error());
  co_return std::move(reply->text);
}

net::task<Result<std::size_t>> RedisSetback::note(std::vector<Delivery> missing,
                                                  std::chrono::nanoseconds grace,
                                                  const std::string& owner) {
  const std::string score = loans_->score_of(grace);
  std::size_t noted = 0;
  for (std::size_t first = 0; first < missing.size(); first += kNotedAtOnce) {
    std::vector<std::string> keys = {kRunLock, kUnacked, kUnackedIndex};
    std::vector<std::string> arguments = {owner, kLockLife, score};
    const std::size_t end = std::min(missing.size(), first + kNotedAtOnce);
    for (std::size_t i = first; i < end; ++i) {
      const Delivery& each = missing[i];
      arguments.insert(arguments.end(), {lost_tag(each), lent_of(each), result_key(each.task_id)});
    }
    const auto reply = co_await client_->script(note_, std::move(keys), std::move(arguments));
    if (!reply) co_return std::unexpected(reply.error());
    if (reply->is_nil()) co_return std::unexpected(overtaken());
    noted += static_cast<std::size_t>(reply->integer);
  }
  co_return noted;
}

net::task<Result<void>> RedisSetback::forget(const Setback& setback) {
  std::vector<std::string> keys = {kRunLock, kRun};
  std::vector<std::string> arguments = {setback.owner, kLockLife, setback.run,
                                        as_score(now_unix())};
  const auto reply = co_await client_->script(forget_, std::move(keys), std::move(arguments));
  if (!reply) co_return std::unexpected(reply.error());
  if (reply->is_nil()) co_return std::unexpected(overtaken());
  co_return Result<void>();
}

}  // namespace alphaswarm::tasks::detail
