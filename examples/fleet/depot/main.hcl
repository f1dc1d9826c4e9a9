# How a depot works: one station, a place for each van of its shift, one for the
# pool car, and a bay for guests.

variable "name" {
  type = string
}

variable "places" {
  description = "How many EVSEs the station has; the last one is the guests' bay."
  type        = number
}

variable "time_zone" {
  type = string
}

variable "vans" {
  description = "The EVSE and the shift of each van, by its number."
  type        = map(object({ evse = number, shift = string }))

  validation {
    condition     = alltrue([for v in var.vans : v.evse <= var.places - 2])
    error_message = "Vans leave two places free: one for the pool car, one for guests."
  }
}

variable "cards" {
  type      = map(string)
  sensitive = true
}

variable "shifts" {
  type = map(object({ days = list(string), from = string, to = string }))
}

variable "holidays" {
  type = list(string)
}

station "main" {
  id = "FLEET-${var.name}"

  dynamic "evse" {
    for_each = range(1, var.places + 1)
    labels   = [evse.value]
    content {
      connector_types = evse.value == var.places ? ["cType2"] : ["cCCS2"]
    }
  }
}

reservation "van" {
  for_each = var.vans

  station  = station.main
  evse_id  = each.value.evse
  id_token = { id_token = var.cards[each.key], type = "ISO14443" }

  schedule {
    time_zone    = var.time_zone
    days         = var.shifts[each.value.shift].days
    start_time   = var.shifts[each.value.shift].from
    end_time     = var.shifts[each.value.shift].to
    except_dates = var.holidays
  }
  activation {
    no_show_after = "90m" # a van that stays away frees its charger
  }
}

# The depot's pool car finds a place every night, whichever is free.
reservation "pool_car" {
  station  = station.main
  id_token = { id_token = var.cards["pool-${lower(var.name)}"], type = "ISO14443" }

  schedule {
    time_zone  = var.time_zone
    rrule      = "FREQ=DAILY"
    start_time = "20:00"
    end_time   = "05:30"
  }
}

# Guests come on the first Monday of a month, and bring a cable.
reservation "guest" {
  station        = station.main
  connector_type = "cType2"
  id_token       = { id_token = "GUEST-${var.name}", type = "Central" }

  schedule {
    time_zone  = var.time_zone
    rrule      = "FREQ=MONTHLY;BYDAY=1MO"
    start_time = "09:00"
    end_time   = "17:00"
  }
}

output "vans" {
  value = length(var.vans)
}
