#pragma once

// The steps that must not be torn apart by a crash or by another worker. Keys of all: unacked,
// unacked_index, then lists.

namespace alphaswarm::tasks::detail {

// ARGV: claim id, time, how many, lists in a step, then for each list its queue's name as JSON.
// Gives list number (from 0) and message, alternating. The tags are "<claim id>:<n>", from 1.
inline constexpr char kClaim[] = R"(
local taken = {}
local count = 0
local wanted = tonumber(ARGV[3])
local width = tonumber(ARGV[4])
local first = 3
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
        redis.call('HSET', KEYS[1], tag, '[' .. message .. ',"",' .. ARGV[i + 2] .. ']')
        redis.call('ZADD', KEYS[2], ARGV[2], tag)
        taken[#taken + 1] = tostring(i - 3)
        taken[#taken + 1] = message
      end
    end
  end
  first = first + width
end
return taken)";

// ARGV: for each loan its tag, result key (empty: only acknowledge), time to live, result.
// Gives 1 for each that was still lent, else 0.
inline constexpr char kSettle[] = R"(
local done = {}
for i = 1, #ARGV, 4 do
  local lent = redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('ZREM', KEYS[2], ARGV[i])
  if lent == 1 and ARGV[i + 1] ~= '' then
    redis.call('SETEX', ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
    redis.call('PUBLISH', ARGV[i + 1], ARGV[i + 3])
  end
  done[#done + 1] = lent
end
return done)";

// KEYS[3]: the list. ARGV: tag, message, and the latest time at which it may have been kept (empty:
// whenever). Gives 1 if it was put back.
inline constexpr char kPutBack[] = R"(
if ARGV[3] ~= '' then
  local kept = redis.call('ZSCORE', KEYS[2], ARGV[1])
  if kept and tonumber(kept) > tonumber(ARGV[3]) then return 0 end
end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('RPUSH', KEYS[3], ARGV[2])
return 1)";

}  // namespace alphaswarm::tasks::detail
