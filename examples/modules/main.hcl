# Two depots that work alike: one directory says how, and is used twice.
#
#   resctl -C examples/modules plan
#   resctl -C examples/modules apply --simulate

resctl {
  required_version = ">= 0.1"
  workspace        = "two-depots"
}

locals {
  # Templates: how long a charger is held, and when it is let go if nobody comes.
  shifts = {
    day   = { hours = 6, no_show_after = "30m" }
    night = { hours = 10, no_show_after = "2h" }
  }
}

module "depot" {
  source = "./depot"
  for_each = {
    north = { "01" = { evse = 1, shift = "day" }, "02" = { evse = 2, shift = "night" } }
    south = { "11" = { evse = 1, shift = "night" }, "12" = { evse = 2, shift = "night" } }
  }

  name   = upper(each.key)
  vans   = each.value
  shifts = local.shifts
}

# Somebody from outside, at a station that a module declares.
reservation "visitor" {
  station  = module.depot["south"].station
  id_token = { id_token = "TEST-VISITOR-7", type = "Central" }
  evse_id  = 3
  hold_for = "2h"
}

output "stations" {
  description = "The station of each depot."
  value       = { for name, d in module.depot : name => d.station.id }
}
