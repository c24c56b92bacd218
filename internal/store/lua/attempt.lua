-- attempt.lua: counts a PIN attempt as failed, before the PIN is looked at.
-- KEYS  1 events  2 extensions  3 lockouts  4 guessed
--       5 lock:<number>|<source>  6 guesses:<number>  7 good:<number>|<source>
-- ARGV  4 operation id  5 failures that lock  6 lock (ms)  7 window of the count
--       over all sources (ms)  8 number  9 source  10 failures from all sources
--       that are news
-- Returns {failures, locked for (ms), failures from all sources, known good}.
-- Invariant: the failure that reaches the limit locks; attempts while locked are
-- not counted and do not prolong. Everything here expires by itself; lockouts and
-- guessed list what has not. A lock is told of once, when it first refuses, for
-- the attempt that reaches the limit may be right.

local limit, lock, window = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local number, source = ARGV[8], ARGV[9]

local function text(n) return string.format('%.0f', n) end

local function read(k)
  local v = redis.call('GET', k)
  return v and cjson.decode(v) or {n = 0}
end

-- told writes lockout.began; a number that is no extension's may be a PIN that
-- was typed into the wrong field, and is left out.
local function told(reason, target, ends)
  local known = redis.call('HEXISTS', K.extensions, number) == 1
  emit({type = 'lockout.began', number = known and number or nil, target = target, reason = reason, ['until'] = ends,
    mac = target and string.match(target, '^device:(%x+)$') or nil})
end

local good = redis.call('GET', K.good)
local known = good and tonumber(good) > now and 1 or 0
local all = read(K.guesses)
if all.n > 0 and now - all.since >= window then all = {n = 0} end
local pair = read(K.lock)
if pair.op == ARGV[4] then return {pair.n, 0, all.n, known} end
if pair['until'] and pair['until'] > now then
  if not pair.told then
    pair.told = true
    redis.call('SET', K.lock, cjson.encode(pair), 'PX', pair['until'] - now)
    told('source', source, pair['until'])
  end
  return {pair.n, pair['until'] - now, all.n, known}
end
if pair['until'] or (pair.at and now - pair.at >= lock) then pair = {n = 0} end

pair.n, pair.at, pair.op = pair.n + 1, now, ARGV[4]
if pair.n >= limit then pair['until'] = now + lock end
redis.call('SET', K.lock, cjson.encode(pair), 'PX', lock)
all.n, all.since = all.n + 1, all.since or now
redis.call('SET', K.guesses, cjson.encode(all), 'PX', window)
redis.call('ZREMRANGEBYSCORE', K.lockouts, '-inf', text(now))
redis.call('ZREMRANGEBYSCORE', K.guessed, '-inf', text(now))
redis.call('ZADD', K.lockouts, text(now + lock), number .. '|' .. source)
redis.call('ZADD', K.guessed, text(all.since + window), number)
if all.n == tonumber(ARGV[10]) then told('extension', nil, all.since + window) end
return {pair.n, 0, all.n, known}
