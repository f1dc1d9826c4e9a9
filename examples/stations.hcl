# Three stations with six EVSEs each: two fast ones (CCS) and four for
# overnight charging, the last of which also has a Type 2 socket.

locals {
  stations = {
    "01" = "DEPOT-A-01"
    "02" = "DEPOT-A-02"
    "03" = "DEPOT-A-03"
  }
}

station "depot" {
  for_each = local.stations

  id       = each.value
  password = try(var.station_passwords[each.value], null) # null: none is declared

  evse "1" {
    connector_types = ["cCCS2"]
  }
  evse "2" {
    connector_types = ["cCCS2"]
  }
  evse "3" {
    connector_types = ["cType2"]
  }
  evse "4" {
    connector_types = ["cType2"]
  }
  evse "5" {
    connector_types = ["cType2"]
  }
  evse "6" {
    connector_types = ["cType2", "sType2"]
  }
}
