-- attempt.lua: counts a PIN attempt as failed, before the PIN is looked at.
-- KEYS  1 lock:<number>|<source>  2 guesses:<number>  3 good:<number>|<source>
-- ARGV  4 operation id  5 failures that lock  6 lock (ms)  7 window of the count
--       over all sources (ms)
-- Returns {failures, locked for (ms), failures from all sources, known good}.
-- Invariant: the failure that reaches the limit locks; attempts while locked are
-- not counted and do not prolong. Everything here expires by itself.

local limit, lock, window = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local function read(k)
  local v = redis.call('GET', k)
  return v and cjson.decode(v) or {n = 0}
end

local good = redis.call('GET', K.good)
local known = good and tonumber(good) > now and 1 or 0
local all = read(K.guesses)
if all.n > 0 and now - all.since >= window then all = {n = 0} end
local pair = read(K.lock)
if pair.op == ARGV[4] then return {pair.n, 0, all.n, known} end
if pair['until'] and pair['until'] > now then return {pair.n, pair['until'] - now, all.n, known} end
if pair['until'] or (pair.at and now - pair.at >= lock) then pair = {n = 0} end

pair.n, pair.at, pair.op = pair.n + 1, now, ARGV[4]
if pair.n >= limit then pair['until'] = now + lock end
redis.call('SET', K.lock, cjson.encode(pair), 'PX', lock)
all.n, all.since = all.n + 1, all.since or now
redis.call('SET', K.guesses, cjson.encode(all), 'PX', window)
return {pair.n, 0, all.n, known}
