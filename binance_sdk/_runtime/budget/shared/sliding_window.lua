-- A sliding window inside the store: `SlidingWindow` of sliding_window.py, rule for rule, and compared with it by a test.
-- A part of what was spent is a list of its first end, its last end and its sum.

local PARTS = 100

local sliding = {}

function sliding.new(limit, seconds)
  return {limit = limit, seconds = seconds, in_flight = 0, sum = 0, spent = {}}
end

function sliding.used(w) return w.in_flight + w.sum end

function sliding.roll(w, now)
  while w.spent[1] and w.spent[1][2] + w.seconds <= now do
    w.sum = w.sum - table.remove(w.spent, 1)[3]
  end
end

-- When `amount` could fit: `now` if it does, math.huge if only the end of a running request can tell.
function sliding.ready_at(w, amount, now, share)
  sliding.roll(w, now)
  local missing = sliding.used(w) + amount - math.floor(w.limit * share + 1e-9)
  if missing <= 0 then return now end
  for _, part in ipairs(w.spent) do
    missing = missing - part[3]
    if missing <= 0 then return part[2] + w.seconds end
  end
  return math.huge
end

function sliding.take(w, amount)
  w.in_flight = w.in_flight + amount
  return {amount = amount}
end

function sliding.refund(w, charge) w.in_flight = w.in_flight - charge.amount end

function sliding.spend(w, amount, now)
  w.sum = w.sum + amount
  local part = w.spent[#w.spent]
  if part then
    now = math.max(now, part[2])
    if now - part[1] < w.seconds / PARTS then
      part[2], part[3] = now, part[3] + amount
      return
    end
  end
  table.insert(w.spent, {now, now, amount})
end

function sliding.settle(w, charge, now)
  w.in_flight = w.in_flight - charge.amount
  sliding.spend(w, charge.amount, now)
end

function sliding.beside(known, limit, seconds, now)
  sliding.roll(known, now)
  local w = sliding.new(limit, seconds)
  if sliding.used(known) > 0 then sliding.spend(w, sliding.used(known), now) end
  return w
end

function sliding.resize(w, limit, seconds, now)
  sliding.roll(w, now)
  w.limit, w.seconds = limit, seconds
end
