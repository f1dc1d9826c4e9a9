package main

// otherWays are commands of Terraform's that are not needed here.
func otherWays() map[string]string {
	none := "There are no providers and no registry: resctl speaks OCPP itself, and a module is a directory beside its caller."
	return map[string]string{
		"taint":        "resctl apply --replace ADDRESS cancels a reservation and asks for it anew.",
		"untaint":      "Nothing is ever tainted: what a station did not accept is outstanding, and asked for again by itself.",
		"refresh":      "There is nothing to refresh: what stations report is recorded as it comes, and no OCPP version lets a station list its reservations. resctl show says what is believed.",
		"force-unlock": "A lock ends with the process that holds it, however that dies. If the state is in use, the message names the process: end it.",
		"console":      "An output block and resctl output show what an expression gives; neither needs a state.",
		"graph":        "Nothing depends on anything: each station is asked for its reservations in the order of their windows. resctl timeline draws them.",
		"test":         "resctl plan --state FILE --var NAME=VALUE plans without a station, and apply --simulate applies to simulated ones; --json is for assertions.",
		"providers":    none, "get": none, "login": none, "logout": none, "modules": none, "metadata": none,
	}
}

// otherFlags are flags of Terraform's that are not needed here.
func otherFlags() map[string]string {
	refresh := "There is nothing to refresh: what stations report is recorded as it comes, and a plan asks none. resctl drift shows what a person should look at."
	lock := "A plan takes no lock. An apply that meets another one is refused, and told who that is; the lock ends with its process."
	state := "The state is a file, which --state or RESCTL_STATE names. Nothing has to be prepared: the first apply makes it."
	return map[string]string{
		"refresh": refresh, "refresh-only": refresh, "lock": lock, "lock-timeout": lock,
		"backend": state, "backend-config": state, "migrate-state": state, "reconfigure": state, "state-out": state,
		"upgrade":             "There are no providers and no registry: nothing is downloaded.",
		"parallelism":         "All stations are spoken to at the same time, and each is asked for one thing after the other.",
		"generate-config-out": "A station does not tell what it holds, so there is nothing to write down: declare the reservation, then import it.",
		"compact-warnings":    "Warnings are few, and shown in full; --json has them as data.",
	}
}
