# How a depot works: one station, and a place for each van of its shift.

variable "name" {
  type = string
}

variable "vans" {
  description = "The place and the shift of each van, by its number."
  type        = map(object({ evse = number, shift = string }))

  validation {
    condition     = alltrue([for v in var.vans : contains(keys(var.shifts), v.shift)])
    error_message = "There are the shifts ${join(", ", keys(var.shifts))}."
  }
}

variable "shifts" {
  type = map(object({ hours = number, no_show_after = optional(string, "1h") }))
}

station "main" {
  id = "${var.name}-1"

  dynamic "evse" {
    for_each = range(1, length(var.vans) + 2) # one more, for whoever comes
    labels   = [evse.value]
    content {
      connector_types = ["cCCS2"]
    }
  }
}

reservation "van" {
  for_each = var.vans

  station  = station.main
  evse_id  = each.value.evse
  id_token = { id_token = "TEST-VAN-${each.key}", type = "Central" }
  hold_for = "${var.shifts[each.value.shift].hours}h"

  activation {
    no_show_after = var.shifts[each.value.shift].no_show_after
  }
}

output "station" {
  value = station.main
}
