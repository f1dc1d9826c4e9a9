# A start: one station and one reservation. Change what is yours, then:
#
#   resctl plan                           what would change
#   resctl apply --simulate               try it; no station is needed
#   resctl apply --listen 127.0.0.1:8887  let the station connect, to ws://HOST:8887/DEPOT-1

resctl {
  # Addresses are unique within a workspace; several may share a state.
  workspace = "default"
}

# Who may charge is personal data: keep tokens out of git, in a file such as
# tokens.auto.hclvars with the line: van_token = "04A1B2C3D4"
variable "van_token" {
  type      = string
  sensitive = true
  default   = "STARTER-VAN"
}

station "depot" {
  id = "DEPOT-1" # the identity with which the station connects

  # password = var.station_password # 16 characters or more, before others can reach --listen

  evse "1" {
    connector_types = ["cCCS2"]
  }
}

reservation "van" {
  station  = station.depot
  evse_id  = 1                                              # left out: any EVSE of the station
  id_token = { id_token = var.van_token, type = "Central" } # or ISO14443, for an RFID card
  hold_for = "8h"                                           # from the first apply on

  # A window instead of hold_for:
  # window {
  #   start_date_time  = "2030-01-07T22:00:00+01:00"
  #   expiry_date_time = "2030-01-08T06:00:00+01:00"
  # }
}
