resctl {
  workspace = "release"
}

station "depot" {
  id = "DEPOT-1"

  evse "1" {
    connector_types = ["cCCS2"]
  }
}

token "pool" {
  id_token = { id_token = "TEST-POOL", type = "Central" }
}

reservation "now" {
  station  = station.depot
  evse_id  = 1
  id_token = { id_token = "TEST-VAN-1", type = "Central" }
  hold_for = "8h"
}

reservation "later" {
  station  = station.depot
  evse_id  = 1
  id_token = { id_token = "TEST-VAN-2", type = "Central" }

  window {
    start_date_time  = "2037-01-01T08:00:00Z"
    expiry_date_time = "2037-01-01T10:00:00Z"
  }
}
