-- What becomes of the right to get an answer: 'hold' it for longer, or let it go as 'free' for the next one, or as
-- 'failed': whoever waits then asks the exchange for himself.
-- KEYS: the lock. ARGV: the token, which of the three, and for how many ms that holds. Reply: 1 if the right was ours.
local token, what, ms = unpack(ARGV)
if redis.pcall('GET', KEYS[1]) ~= token then return 0 end
if what == 'hold' then
  redis.call('PEXPIRE', KEYS[1], ms)
elseif what == 'failed' then
  redis.call('SET', KEYS[1], 'failed', 'PX', ms)
else
  redis.call('DEL', KEYS[1])
end
return 1
