-- reload_arm.lua: an ended session of the device spoke up, so the phone has not
-- taken its configuration: its reload is due again.
-- KEYS  1 events  2 seats  3 traces  4 reloads  5 reload-due  6 dialogs
--       7 request:arm-<mac>
-- ARGV  4 MAC  5 trace id, should there be no trace yet
-- Returns 1 if something became due, else 0.
-- Invariant: at most once in 5 s per device, and never within 5 s of a NOTIFY.

local QUIET = 5000
local mac = ARGV[4]
local last = redis.call('GET', K.request)
if last and now - tonumber(last) < QUIET and now >= tonumber(last) then return 0 end

local i, trace = load(K.reloads, mac), load(K.traces, mac)
local s = seats_of(mac)
if i then
  if i.claimed or (i.sent_at and now - i.sent_at < QUIET) then return 0 end
  local busy = i.force and 0 or busy_until(mac)
  i.waiting = busy > now or nil
  save(K.reloads, mac, i)
  schedule(mac, busy > now and busy or now)
elseif #s.ending > 0 then
  local line = s.ending[#s.ending].line
  local who = at(s, line) or {}
  local kind = who.session and 'login' or 'logout'
  trace = trace or {id = ARGV[5], kind = kind, mac = mac, line = line, started = now}
  local steps = {}
  for _, step in ipairs(trace.steps or {}) do
    if step.step == 'accepted' or step.step == 'bound' then steps[#steps + 1] = step end
  end
  if trace.kind == 'reload' then trace.kind = kind end
  trace.rev, trace.tenant, trace.state, trace.ended = (trace.rev or 0) + 1, tenant, 'running', nil
  trace.number, trace.session = who.number, who.session
  trace.steps, trace.expect, trace.lit_keys = filled(steps), nil, nil
  save(K.traces, mac, trace)
  open_intent({trace = trace.id, mac = mac, session = who.session, reason = kind}, now)
else
  return 0
end
redis.call('SET', K.request, ARGV[1], 'PX', QUIET)
emit({type = 'reload.armed', mac = mac, trace = i and i.trace or trace.id})
return 1
