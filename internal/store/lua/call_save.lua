-- call_save.lua: writes a call as it is now.
-- KEYS  1 events  2 calls  3 call-due  4 calls-past  5 calls-past-due  6 call-rev
--       7 lamps  8 dialogs  9 reloads  10 reload-due  11 active   (all carry {tenant})
-- ARGV  4 id  5 revision as read (0: none)  6 call (JSON)  7 its public JSON
--       8 lease (ms), '' when it is over  9 when to look at it (ms)
--       10 settle (ms) between the end of a call and a NOTIFY
--       11 until when an ended call is remembered (ms)
--       12 MACs in it now, blank-separated  13 numbers whose lamps it concerns
-- Returns the new revision; 0: it was changed meanwhile; -1: it has ended.
-- Invariant: a call stands in calls and call-due, or in calls-past and
-- calls-past-due; one that was answered and has ended never comes back; the
-- lamps of all its numbers get its revision.

local id, rev, text, public = ARGV[4], tonumber(ARGV[5]), ARGV[6], ARGV[7]
local over = ARGV[8] == ''

local function words(s)
  local all = {}
  for w in string.gmatch(s, '%S+') do all[#all + 1] = w end
  return all
end

local stored = redis.call('HGET', K.calls, id)
local kind = over and 'call.ended' or 'call.changed'
local old
if stored then
  old = cjson.decode(stored)
  if old.rev ~= rev then return 0 end
else
  local past = load(K.calls_past, id)
  if past and (past.answered or (rev ~= 0 and past.rev ~= rev)) then return -1 end
  if not past and rev ~= 0 then return -1 end
  if not over then kind = 'call.started' end
end

local new = redis.call('INCR', K.call_rev)
text = marked(text, '"rev":' .. new .. ',')
if over then
  redis.call('HDEL', K.calls, id)
  redis.call('ZREM', K.call_due, id)
  redis.call('HSET', K.calls_past, id, text)
  redis.call('ZADD', K.calls_past_due, ARGV[11], id)
else
  redis.call('HDEL', K.calls_past, id)
  redis.call('ZREM', K.calls_past_due, id)
  redis.call('HSET', K.calls, id, text)
  redis.call('ZADD', K.call_due, ARGV[9], id)
end
for _, number in ipairs(words(ARGV[13])) do redis.call('HSET', K.lamps, number, new) end
emit_call(kind, new, public)

local inside = {}
if not over then
  for _, mac in ipairs(words(ARGV[12])) do
    inside[mac] = true
    occupy(mac, id, tonumber(ARGV[8]))
  end
end
local done = {}
for _, leg in ipairs(old and old.legs or {}) do
  local mac = leg.party and given(leg.party.mac)
  if mac and not inside[mac] and not done[mac] then
    done[mac] = true
    leave(mac, id, tonumber(ARGV[10]))
  end
end
return new
