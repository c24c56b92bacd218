-- audit_erase.lua: forgets whose number the records of a person are about.
-- KEYS  1 events  2 people  3 person-of
-- ARGV  4 number  5 pseudonym  6 by  7 door
-- Returns the pseudonym, or '' where no record names the number.
-- Invariant: no record is changed; whoever has the number next is another person.

local person = redis.call('HGET', K.person_of, ARGV[4])
if person then
  redis.call('HDEL', K.person_of, ARGV[4])
  redis.call('HSET', K.people, person, ARGV[5])
end
emit({type = 'person.erased', target = ARGV[5], by = given(ARGV[6]), door = given(ARGV[7])})
return person and ARGV[5] or ''
