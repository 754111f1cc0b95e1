-- Who uses what of a pool at this moment, for people to look at. Nothing is written: windows are rolled in a copy.
-- Needs fixed_window.lua, sliding_window.lua, fairness.lua and pool.lua before it. KEYS[1] holds the pool.

local CONSUMER = 'consumer:'

local function unpacked(packed)
  local ok, value = pcall(cmsgpack.unpack, packed)
  return ok and type(value) == 'table' and value or nil
end

local function usage(p, consumers, now)
  local windows, rows = {}, {}
  set_clocks(p, now)
  local offset, uncertainty = offset_of(p, now)
  for name, w in pairs(p.windows) do
    module_of(w).roll(w, now)
    local spent = not w.fixed and w.spent[#w.spent]
    windows[name] = {
      kind = w.kind, seconds = w.seconds, limit = w.limit,
      used = math.max(0, module_of(w).used(w)), in_flight = math.max(0, w.in_flight),
      resets_in = w.fixed and fixed.ends(w) - now or spent and spent[2] + w.seconds - now or 0,
      doubted = believed_at(w, now) > 0,
    }
  end
  for _, consumer in ipairs(consumers) do
    local used = {}
    for name, part in pairs(consumer.parts) do
      local w = p.windows[name]
      if w and w.fixed then
        used[name] = part[1] == w.index and part[2] or 0
      elseif w then
        used[name] = math.floor(turns.used(w, turns.rolled(w, part, now), now) + 0.5)
      end
    end
    rows[consumer.id] = {
      id = consumer.id, share = consumer.share, silent_for = math.max(0, now - consumer.seen), lapsed = consumer.lapsed,
      waits_for = consumer.since > 0 and math.max(0, now - consumer.since) or nil, wants = consumer.want,
      used = used, in_flight = consumer.held,
    }
  end
  return {
    windows = windows, consumers = rows, reason = p.reason,
    clock_offset = p.low and offset or nil, clock_uncertainty = uncertainty,
    closed_for = math.max(0, p.closed_until - now), banned_for = math.max(0, p.banned_until - now),
  }
end

local all, p, consumers = redis.call('HGETALL', KEYS[1]), nil, {}
for position = 1, #all, 2 do
  local name, value = all[position], unpacked(all[position + 1])
  if not value then return redis.error_reply('BINANCESDK rubbish') end
  if name == 'pool' then
    p = value
  elseif string.sub(name, 1, #CONSUMER) == CONSUMER then
    table.insert(consumers, value)
  end
end
if #all == 0 then return false end
if not p or type(p.format) ~= 'number' then return redis.error_reply('BINANCESDK rubbish') end
if p.format ~= FORMAT then return redis.error_reply('BINANCESDK format ' .. p.format .. ' instead of ' .. FORMAT) end
local time = redis.call('TIME')
return cjson.encode(usage(p, consumers, tonumber(time[1]) + tonumber(time[2]) / 1e6))
