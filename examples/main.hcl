# A depot with three stations and twelve vans: who charges where tonight.
#
#   resctl -C examples plan
#   resctl -C examples apply --simulate     # tries it against simulated stations
#
# Files are read together, in the order of their names: main.hcl, stations.hcl,
# vans.hcl. Values for variables come from rfid.auto.hclvars.

resctl {
  required_version = ">= 0.1"
  workspace        = "depot-a"
}

variable "rfid" {
  description = "RFID UID of each vehicle's charge card, by vehicle number."
  type        = map(string)
  sensitive   = true # never shown in a plan
}

variable "station_passwords" {
  description = "OCPP basic authentication, by station identity; at least 16 random characters each."
  type        = map(string)
  sensitive   = true
  default     = {}
}

variable "night_hours" {
  description = "How long a van's charger is held, in hours."
  type        = number
  default     = 8

  validation {
    condition     = var.night_hours >= 1 && var.night_hours <= 12
    error_message = "Night windows last from 1 to 12 hours."
  }
}

locals {
  # number,station,evse per line; the key becomes part of the address: reservation.van["12"]
  vans = { for v in csvdecode(file("vans.csv")) : v.number => v }

  night = "${var.night_hours}h"

  # One token stands for all cards of the depot's own staff.
  depot_group = { id_token = "DEPOT-A", type = "Central" }
}
