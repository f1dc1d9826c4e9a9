# Depot B, as a repository of its own: a pipeline applies it (.github, .gitlab-ci.yml),
# or a server follows it (pull). README.md says how.

resctl {
  workspace = "depot-b"
}

# From the secret store, in the environment: RESCTL_VAR_station_passwords.
variable "station_passwords" {
  type      = map(string)
  sensitive = true
  default   = {}
}

locals {
  stations = toset(["DEPOT-B-01", "DEPOT-B-02"])
  vans     = { for v in csvdecode(file("vans.csv")) : v.number => v }
}

station "depot" {
  for_each = local.stations
  id       = each.key
  password = try(var.station_passwords[each.key], null)
  evse "1" {
    connector_types = ["cCCS2"]
  }
  evse "2" {
    connector_types = ["cCCS2"]
  }
}

reservation "van" {
  for_each = local.vans

  station  = station.depot[each.value.station]
  evse_id  = tonumber(each.value.evse)
  id_token = { id_token = "VAN-${each.key}", type = "Central" }

  schedule {
    time_zone  = "Europe/Amsterdam"
    days       = ["SU", "MO", "TU", "WE", "TH"]
    start_time = "22:00"
    end_time   = "06:00"
  }
  activation {
    lead_time = "10m"
  }
}
