-- One pool for all of its consumers, inside the store: what they have in flight, its windows, its gate, and the
-- exchange's clock. A consumer is one process. It sends one message, and gets one reply, in which everything is done:
-- what has ended is settled, what it wants is reserved, what it saw closed is closed for all.
-- A message whose reply was lost does no harm. Every ending has a number and counts once, and what is in flight is told
-- as a whole, so that permissions which never arrived are free again with the next message.
-- Needs fixed_window.lua and sliding_window.lua before it. Times are seconds of the store's clock.

local FORMAT = 1
local LAPSE, FORGOTTEN = 30, 3600
local TRUSTED = 0.03
local DRIFT, NARROWEST = 50e-6, 0.002

local pool = {}

function pool.new()
  return {
    format = FORMAT, run = '', windows = {}, consumers = {},
    closed_until = 0, banned_until = 0, reason = '', low = false, high = false, clock_at = 0,
  }
end

-- ------------------------------------------------------------------------------------------------------------ clock

local function offset_of(p, now)
  if not p.low then return 0, 0 end
  return (p.low + p.high) / 2, (p.high - p.low) / 2 + DRIFT * math.max(0, now - p.clock_at)
end

-- All learn the exchange's clock together. Two that contradict each other make a wider guard, never a wrong window.
local function learn_clock(p, low, high, now)
  if p.low then
    local widened = DRIFT * math.max(0, now - p.clock_at)
    local known_low, known_high = p.low - widened, p.high + widened
    if low > known_high or high < known_low then
      low, high = math.min(low, known_low), math.max(high, known_high)
    else
      low, high = math.max(low, known_low), math.min(high, known_high)
    end
  end
  if high - low < NARROWEST then
    local middle = (low + high) / 2
    low, high = middle - NARROWEST / 2, middle + NARROWEST / 2
  end
  p.low, p.high, p.clock_at = low, high, now
end

local function set_clocks(p, now)
  local offset, uncertainty = offset_of(p, now)
  for _, w in pairs(p.windows) do
    if w.fixed then
      local distrusted = w.distrusted == w.index
      fixed.set_clock(w, offset, uncertainty, now)
      -- The running window may have got another number, and is still the one of which too little is known.
      if distrusted and w.distrusted ~= w.index then w.distrusted = w.index end
    end
  end
end

-- ---------------------------------------------------------------------------------------------------------- windows

-- Nobody knows what was spent before: a small part of the running window may be used, and the rest of it is not ours.
local function distrust(w, now)
  if w.fixed then
    fixed.roll(w, now)
    w.distrusted, w.given = w.index, 0
  else
    local unknown = w.limit - math.floor(w.limit * TRUSTED) - sliding.used(w)
    if unknown > 0 then sliding.spend(w, unknown, now) end
  end
end

function pool.distrust(p, now)
  for _, w in pairs(p.windows) do distrust(w, now) end
end

-- A consumer tells every window that it knows: {kind, limit, seconds, whether the exchange has announced that}. What is
-- not announced only counts where there is nothing yet, or old and new consumers would change it to and fro.
local function learn_windows(p, told, now)
  for name, row in pairs(told) do
    local kind, limit, seconds, announced = row[1], row[2], row[3], row[4]
    local w = p.windows[name]
    if not w then
      if kind == 'fixed' then
        w = fixed.new(limit, seconds, offset_of(p, now))
        w.fixed, w.distrusted, w.given = true, -1, 0
      else
        w = sliding.new(limit, seconds)
      end
      p.windows[name] = w
      distrust(w, now)
    elseif announced and (w.limit ~= limit or w.seconds ~= seconds) then
      local module = w.fixed and fixed or sliding
      local distrusted = w.fixed and w.distrusted == w.index
      module.resize(w, limit, seconds, now)
      if distrusted then w.distrusted = w.index end
    end
  end
end

-- When a window that is not believed lets the amount through; as for others, `now` if it does.
local function ready_at(w, amount, now, share)
  if not w.fixed then return sliding.ready_at(w, amount, now, share) end
  local ready = fixed.ready_at(w, amount, now, share)
  if w.distrusted < 0 or ready == math.huge then return ready end
  local over = (w.distrusted + 1) * w.seconds - w.offset + fixed.guard_after + w.uncertainty
  if now >= over then
    w.distrusted = -1
    return ready
  end
  if w.given + amount <= math.floor(w.limit * TRUSTED) then return ready end
  return math.max(ready, over)
end

local function take(w, amount, now)
  if not w.fixed then return sliding.take(w, amount) end
  if w.distrusted >= 0 then w.given = w.given + amount end
  return fixed.take(w, amount, now)
end

-- -------------------------------------------------------------------------------------------------------- consumers

-- What a silent consumer had in flight was sent, for all that is known. Its numbers are kept for longer, so that what it
-- tells again does not count twice.
local function lapse(p, now)
  local live = 0
  for id, consumer in pairs(p.consumers) do
    if consumer.seen + LAPSE >= now then
      live = live + 1
    else
      for name, amount in pairs(consumer.held) do
        local w = p.windows[name]
        if w and amount > 0 then
          if w.fixed then
            fixed.settle(w, {amount = amount, index = -1}, nil, now, false)
          else
            sliding.settle(w, {amount = amount}, now)
          end
        end
      end
      consumer.held = {}
      if consumer.seen + FORGOTTEN < now then p.consumers[id] = nil end
    end
  end
  return live
end

local function hold(w, consumer, name, amount)
  w.in_flight = w.in_flight + amount - (consumer.held[name] or 0)
  consumer.held[name] = amount
end

-- One request of a consumer is over: {number, answered, {{window, charge..., count or nothing}, ...}}.
local function settle(p, consumer, ending, now)
  if ending[1] <= consumer.settled then return end
  consumer.settled = ending[1]
  for _, row in ipairs(ending[3]) do
    local name, w = row[1], p.windows[row[1]]
    if w then
      local amount = row[2]
      local held, count = consumer.held[name] or 0, row[8]
      if type(count) ~= 'number' then count = nil end
      -- It may have been spent while the store was away, or have lapsed.
      if held < amount then hold(w, consumer, name, amount) end
      consumer.held[name] = consumer.held[name] - amount
      if w.fixed then
        local charge = {
          amount = amount, index = row[3], unreported = row[4], reported = row[5], resets = row[6], at = tonumber(row[7]),
        }
        fixed.settle(w, charge, count, now, ending[2])
      else
        sliding.settle(w, {amount = amount}, now)
      end
    end
  end
end

-- ---------------------------------------------------------------------------------------------------------- message

local function reserve(p, consumer, want, now)
  local at, short = now, nil
  if now < p.closed_until then at, short = p.closed_until, 'gate' end
  for _, need in ipairs(want) do
    local w = p.windows[need[1]]
    local ready = w and ready_at(w, need[2], now, need[3]) or math.huge
    if ready > at then at, short = ready, need[1] end
  end
  if short then return nil, at, short end
  local charges = {}
  for _, need in ipairs(want) do
    local name, amount = need[1], need[2]
    local charge = take(p.windows[name], amount, now)
    consumer.held[name] = (consumer.held[name] or 0) + amount
    -- A time with all of its digits has to be a text.
    table.insert(charges, {
      name, amount, charge.index or 0, charge.unreported or 0, charge.reported or 0, charge.resets or 0,
      string.format('%.6f', now),
    })
  end
  return charges
end

function pool.sync(p, message, now)
  local consumer = p.consumers[message.id]
  if consumer and message.seq <= consumer.seq then
    -- Overtaken by a later one of the same consumer.
    return {stale = true}
  end
  if not consumer then
    consumer = {seq = 0, settled = message.settled or 0, held = {}}
    p.consumers[message.id] = consumer
  end
  consumer.seq, consumer.seen = message.seq, now
  local consumers = lapse(p, now)

  if message.clock then learn_clock(p, message.clock[1], message.clock[2], now) end
  set_clocks(p, now)
  learn_windows(p, message.windows or {}, now)
  for _, ending in ipairs(message.endings or {}) do settle(p, consumer, ending, now) end
  local held = message.held or {}
  for name in pairs(consumer.held) do
    if not held[name] then held[name] = 0 end
  end
  for name, amount in pairs(held) do
    local w = p.windows[name]
    if w then
      (w.fixed and fixed or sliding).roll(w, now)
      hold(w, consumer, name, amount)
    end
  end
  if message.gate then
    local closed, banned = message.gate[1], message.gate[2]
    if closed > p.closed_until then p.closed_until, p.reason = closed, message.gate[3] end
    p.banned_until = math.max(p.banned_until, banned)
  end

  local reply = {granted = {}, consumers = consumers, windows = {}}
  for _, want in ipairs(message.wants or {}) do
    local charges, at, short = reserve(p, consumer, want, now)
    if not charges then
      reply.short = short
      -- Without a number: only the end of a running request, or another limit, can help.
      if at ~= math.huge then reply.wait = at - now end
      break
    end
    table.insert(reply.granted, charges)
  end
  for name, w in pairs(p.windows) do
    reply.windows[name] = {(w.fixed and fixed or sliding).used(w), w.limit, w.seconds}
  end
  local offset, uncertainty = offset_of(p, now)
  reply.now, reply.settled = string.format('%.6f', now), consumer.settled
  reply.offset, reply.uncertainty = string.format('%.6f', offset), uncertainty
  reply.closed, reply.banned, reply.reason = math.max(0, p.closed_until - now), math.max(0, p.banned_until - now), p.reason
  return reply
end
