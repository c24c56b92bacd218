-- append.lua: writes events.
-- KEYS  1 events  2 request:<id>                         (both carry {tenant})
-- ARGV  4... the events (JSON), as they shall stand in the stream
-- Returns nothing. The same request id writes nothing again.

if redis.call('SET', K.request, '1', 'NX', 'PX', 60000) then
  for i = 4, #ARGV do redis.call('XADD', K.events, 'MAXLEN', '~', MAX_EVENTS, '*', 'e', ARGV[i]) end
end
