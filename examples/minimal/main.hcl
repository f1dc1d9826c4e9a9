# The smallest useful configuration: hold one charger for one van.
#
#   resctl -C examples/minimal apply --simulate

resctl {
  workspace = "minimal"
}

station "depot" {
  id = "DEPOT-1" # the identity with which the station connects

  evse "1" {
    connector_types = ["cCCS2"]
  }
}

reservation "van" {
  station  = station.depot
  evse_id  = 1
  id_token = { id_token = "TEST-VAN-1", type = "Central" }
  hold_for = "8h" # from the first apply on
}
