#pragma once

// The steps that must not be torn apart by a crash or by another worker. Keys of all: unacked,
// unacked_index, then lists.

namespace alphaswarm::tasks::detail {

// KEYS[3]: there if the claim is void, see kClaimAgain; then lists. ARGV: claim id, time, how many,
// lists in a step, then for each list its queue's name as JSON. Gives list number (from 0) and
// message, alternating. The tags are "<claim id>:<n>", from 1.
inline constexpr char kClaim[] = R"(
if redis.call('EXISTS', KEYS[3]) == 1 then return {} end
local taken = {}
local count = 0
local wanted = tonumber(ARGV[3])
local width = tonumber(ARGV[4])
local first = 4
while first <= #KEYS and count < wanted do
  local found = true
  while found and count < wanted do
    found = false
    for i = first, first + width - 1 do
      if count == wanted then break end
      local message = redis.call('RPOP', KEYS[i])
      if message then
        found = true
        count = count + 1
        local tag = ARGV[1] .. ':' .. count
        redis.call('HSET', KEYS[1], tag, '[' .. message .. ',"",' .. ARGV[i + 1] .. ']')
        redis.call('ZADD', KEYS[2], ARGV[2], tag)
        taken[#taken + 1] = tostring(i - 4)
        taken[#taken + 1] = message
      end
    end
  end
  first = first + width
end
return taken)";

// For a claim whose reply was lost. KEYS[3] as above: set, so that the claim takes nothing if it
// only runs now, out of the buffer of a connection that is gone. ARGV: claim id, time, how many it
// asked for, seconds to keep KEYS[3]. Gives what `unacked` has of it.
inline constexpr char kClaimAgain[] = R"(
redis.call('SETEX', KEYS[3], ARGV[4], '1')
local found = {}
for n = 1, tonumber(ARGV[3]) do
  local tag = ARGV[1] .. ':' .. n
  local lent = redis.call('HGET', KEYS[1], tag)
  if not lent then break end
  redis.call('ZADD', KEYS[2], ARGV[2], tag)
  found[n] = lent
end
return found)";

// ARGV: for each loan its tag, its tag in kPresumeLent (may be empty), result key (empty: only
// acknowledge), time to live, result. Gives 1 for each that was still lent, under either, else 0.
inline constexpr char kSettle[] = R"(
local done = {}
for i = 1, #ARGV, 5 do
  local lent = redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('ZREM', KEYS[2], ARGV[i])
  if ARGV[i + 1] ~= '' then
    lent = math.max(lent, redis.call('HDEL', KEYS[1], ARGV[i + 1]))
    redis.call('ZREM', KEYS[2], ARGV[i + 1])
  end
  if lent == 1 and ARGV[i + 2] ~= '' then
    redis.call('SETEX', ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
    redis.call('PUBLISH', ARGV[i + 2], ARGV[i + 4])
  end
  done[#done + 1] = lent
end
return done)";

// KEYS[3]: the list; KEYS[4]: how many were put back, for who looks for something meanwhile (see
// redis_setback.hpp). ARGV: tag, message, the latest time at which it may have been kept (empty:
// whenever), and its tag in kPresumeLent (may be empty). Gives 1 if it was put back.
inline constexpr char kPutBack[] = R"(
if ARGV[3] ~= '' then
  local kept = redis.call('ZSCORE', KEYS[2], ARGV[1])
  if kept and tonumber(kept) > tonumber(ARGV[3]) then return 0 end
end
redis.call('ZREM', KEYS[2], ARGV[1])
local lent = redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[4] ~= '' then
  redis.call('ZREM', KEYS[2], ARGV[4])
  lent = lent + redis.call('HDEL', KEYS[1], ARGV[4])
end
if lent == 0 then return 0 end
redis.call('RPUSH', KEYS[3], ARGV[2])
redis.call('INCR', KEYS[4])
return 1)";

// KEYS[3]: the list. ARGV: the next try's message, its state as a result (key, time to live, text;
// key empty: none), then tags of the tries before it. Gives 1 if one of those was still lent: else
// another has the task. What can be refused comes first: then the task is lent as before.
inline constexpr char kRequeue[] = R"(
local lent = 0
for i = 5, #ARGV do lent = math.max(lent, redis.call('HEXISTS', KEYS[1], ARGV[i])) end
if lent == 0 then return 0 end
redis.call('LPUSH', KEYS[3], ARGV[1])
for i = 5, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('ZREM', KEYS[2], ARGV[i])
end
if ARGV[2] ~= '' then
  redis.call('SETEX', ARGV[2], ARGV[3], ARGV[4])
  redis.call('PUBLISH', ARGV[2], ARGV[4])
end
return 1)";

// ARGV: a time, then for each message its tag and what `unacked` is to hold.
inline constexpr char kPresumeLent[] = R"(
for i = 2, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('ZADD', KEYS[2], ARGV[1], ARGV[i])
  end
end
return 1)";

// ARGV: a loan's tag, its tag in kPresumeLent, what `unacked` is to hold under that, a time. Gives
// 1 if it was still lent.
inline constexpr char kLeave[] = R"(
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[3]) == 1 then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
end
return 1)";

// KEYS[1]: a lock. ARGV: who has it.
inline constexpr char kUnlock[] = R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1)";

}  // namespace alphaswarm::tasks::detail
