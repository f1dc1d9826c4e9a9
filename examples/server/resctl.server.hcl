# Settings of resctl serve:
#
#   resctl serve --config resctl.server.hcl --check    what it would do, and whether it could
#   resctl serve --config resctl.server.hcl
#
# Paths begin in the directory of this file. A flag on the command line wins over
# what stands here. docs/server.md lists every setting.

ocpp {
  address          = "127.0.0.1:8887" # stations dial ws://127.0.0.1:8887/<any path>/<identity>
  security_profile = 1                # 0 none, 1 passwords, 2 TLS and passwords, 3 TLS and certificates
  unknown_stations = "refuse"         # a station that nothing declares does not come in
  authorization    = "declared"       # tokens of reservations and of token blocks may charge

  # For other machines to reach it: address = "0.0.0.0:8887", security_profile = 2, and
  # tls {
  #   cert_file = "server.pem" # with its chain
  #   key_file  = "server.key"
  #   # For security profile 3:
  #   # client_ca_file = "stations-ca.pem"
  # }
}

# The state is made where there is none. It lies on a local disk.
state = "resctl.db"

retention    = "90d" # of the journal
horizon      = "14d" # how far ahead it is proven that everything fits
quiet_period = "10s" # of silence, after which a station has told all
move_timeout = "10m" # the old station of a move holds on for so long

# Prometheus reads http://127.0.0.1:9880/metrics.
metrics {
  address = "127.0.0.1:9880"
}

# Keep a workspace as a directory declares it, such as a clone that git pull renews.
# watch "depot" {
#   directory  = "/srv/depot"
#   interval   = "60s" # between two looks
#   settle     = "5s"  # nothing in it changes for so long
#   max_cancel = 10    # a plan that cancels more of what is held waits for a person
# }
