# resctl serve --config resctl.server.hcl: workspace depot-b follows what git-sync
# puts into /srv/depots (git-sync.service).

ocpp {
  address = "127.0.0.1:8887" # behind a proxy that ends TLS; docs/stations.md has the others
}

state = "/var/lib/resctl/resctl.db"

watch "depot-b" {
  directory  = "/srv/depots/current" # a link, which git-sync swaps
  interval   = "60s"
  settle     = "5s"
  max_cancel = 10
}

metrics {
  address = "127.0.0.1:9880"
}
