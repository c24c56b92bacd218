-- calls_lib.lua: what the scripts of calls share, after lib.lua.
-- Invariant: dialogs holds, for each device, the calls it is in with the end of
-- their leases: what a reload waits for.

local MOST_CALLS = 64 -- remembered per device; the others keep it busy anyway

-- occupy notes that a device is in a call, or still in it.
local function occupy(mac, id, lease)
  local live, n = {}, 0
  for call, ends in pairs(load(K.dialogs, mac) or {}) do
    if ends > now or call == id then live[call], n = ends, n + 1 end
  end
  redis.call('HSET', K.active, mac, string.format('%.0f', now))
  local old = live[id]
  if old == lease or (not old and n >= MOST_CALLS) then return end
  live[id] = lease
  save(K.dialogs, mac, live)
  if n == 0 or (n == 1 and old and old <= now) then emit({type = 'dialog.started', mac = mac}) end
end

-- leave notes that a device is no longer in a call. After its last one, the
-- reload that waits for it is due once the phone has had time to settle.
local function leave(mac, id, settle)
  local calls = load(K.dialogs, mac)
  if not calls then return end
  redis.call('HSET', K.active, mac, string.format('%.0f', now))
  local live, left = {}, false
  for call, ends in pairs(calls) do
    if call ~= id and ends > now then live[call], left = ends, true end
  end
  if left then
    if calls[id] then save(K.dialogs, mac, live) end
    return
  end
  redis.call('HDEL', K.dialogs, mac)
  emit({type = 'dialog.ended', mac = mac})
  local i = load(K.reloads, mac)
  if not i then return end
  local due = now + settle
  if i.waiting then
    schedule(mac, due)
  elseif i.claimed then
    i.call_over = due
    save(K.reloads, mac, i)
  end
end

-- emit_call writes the news of a call with its public JSON, which Go wrote and
-- which must not be encoded again.
local function emit_call(kind, rev, public)
  local e = cjson.encode({type = kind, at = now, node = given(node), tenant = tenant})
  local call = marked(public, '"rev":' .. rev .. ',')
  redis.call('XADD', K.events, 'MAXLEN', '~', MAX_EVENTS, '*', 'e', '{"call":' .. call .. ',' .. string.sub(e, 2))
end
