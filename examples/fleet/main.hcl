# A fleet in two depots that never stops: vans charge between their shifts, every
# week, but for public holidays.
#
#   resctl -C examples/fleet plan
#   resctl -C examples/fleet apply --simulate
#
# vans.csv says which van stands where and works when; shifts.hcl says what a
# shift means; depot/ says how a depot works. Cards come from cards.auto.hclvars.

resctl {
  required_version = ">= 0.1"
  workspace        = "fleet"
}

variable "cards" {
  description = "RFID UID of each vehicle's charge card, by vehicle number."
  type        = map(string)
  sensitive   = true # never shown in a plan
}

locals {
  # number,depot,evse,shift per line
  vans = csvdecode(file("vans.csv"))

  depots = {
    north = { places = 4, time_zone = "Europe/Amsterdam" }
    south = { places = 3, time_zone = "Europe/Lisbon" }
  }
}

module "depot" {
  source   = "./depot"
  for_each = local.depots

  name      = upper(each.key)
  places    = each.value.places
  time_zone = each.value.time_zone
  vans      = { for v in local.vans : v.number => v if v.depot == each.key }
  cards     = var.cards
  shifts    = local.shifts
  holidays  = local.holidays
}

output "vans" {
  description = "How many vans each depot charges."
  value       = { for name, d in module.depot : name => d.vans }
}
