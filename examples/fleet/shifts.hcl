locals {
  # When a van of each shift stands at its charger. Times are those of the depot's
  # zone. An end at or before the start is on the next day, and one van may come
  # when another goes: windows are half-open.
  shifts = {
    day     = { days = ["SU", "MO", "TU", "WE", "TH"], from = "22:00", to = "06:00" } # works by day, charges at night
    night   = { days = ["MO", "TU", "WE", "TH", "FR"], from = "06:00", to = "14:00" }
    evening = { days = ["MO", "TU", "WE", "TH", "FR"], from = "14:00", to = "22:00" }
  }

  # Local dates on which no window starts. One that started the evening before
  # is not shortened.
  holidays = [
    "2026-12-25",
    "2026-12-26",
    "2027-01-01",
    "2027-03-28",
    "2027-03-29",
    "2027-04-27",
    "2027-12-25",
    "2027-12-26",
  ]
}
