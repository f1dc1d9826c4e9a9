# Each van has its own EVSE, as vans.csv says.
reservation "van" {
  for_each = local.vans

  station  = station.depot[each.value.station]
  evse_id  = tonumber(each.value.evse)
  id_token = { id_token = var.rfid[each.key], type = "ISO14443" }
  hold_for = local.night

  activation {
    no_show_after = "2h" # a van that stays away frees its charger
  }
}

# A visitor may use whatever is free at station 02.
reservation "visitor" {
  station  = station.depot["02"]
  id_token = { id_token = var.rfid["visitor"], type = "ISO14443" }
  hold_for = "4h"
}

# Any fast charger of station 03, for anyone whose card belongs to the depot.
reservation "duty_manager" {
  station        = station.depot["03"]
  connector_type = "cCCS2"
  id_token       = { id_token = "DUTY-MANAGER", type = "Central" }
  group_id_token = local.depot_group
  hold_for       = local.night

  lifecycle {
    prevent_cancel = true # a plan that would take it away is refused
  }
}
