-- How far the exchange's clock is from the store's, as all consumers learn it together.

local DRIFT, NARROWEST, UNKNOWN = 50e-6, 0.002, 1.0

local function offset_of(p, now)
  if not p.low then return 0, UNKNOWN end
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
