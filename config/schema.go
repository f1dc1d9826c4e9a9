package config

import "github.com/hashicorp/hcl/v2"

// The shape of the language: a construct is a schema here and a file that reads it.

func block(labels ...string) hcl.BlockHeaderSchema {
	return hcl.BlockHeaderSchema{Type: labels[0], LabelNames: labels[1:]}
}

func attributes(names ...string) []hcl.AttributeSchema {
	out := make([]hcl.AttributeSchema, len(names))
	for i, n := range names {
		required := n[0] == '!'
		if required {
			n = n[1:]
		}
		out[i] = hcl.AttributeSchema{Name: n, Required: required}
	}
	return out
}

var (
	rootSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		block("resctl"), block("variable", "name"), block("locals"),
		block("station", "name"), block("reservation", "name"),
		block("token", "name"), block("module", "name"), block("output", "name"),
		block("moved"), block("removed"), block("import"),
	}}
	settingsSchema = &hcl.BodySchema{Attributes: attributes("required_version", "workspace", "server")}
	variableSchema = &hcl.BodySchema{
		Attributes: attributes("type", "default", "description", "sensitive", "nullable"),
		Blocks:     []hcl.BlockHeaderSchema{block("validation")},
	}
	validationSchema = &hcl.BodySchema{Attributes: attributes("!condition", "!error_message")}
	stationSchema    = &hcl.BodySchema{
		Attributes: attributes("for_each", "count", "id", "ocpp_version", "serial_number", "password"),
		Blocks:     []hcl.BlockHeaderSchema{block("evse", "id"), block(dynamicBlock, "type")},
	}
	tokenSchema       = &hcl.BodySchema{Attributes: attributes("for_each", "count", "!id_token", "group_id_token")}
	outputSchema      = &hcl.BodySchema{Attributes: attributes("!value", "description", "sensitive"), Blocks: []hcl.BlockHeaderSchema{block("precondition")}}
	moduleSchema      = &hcl.BodySchema{Attributes: attributes("!source", "for_each", "count")} // and the variables of its directory
	nodeSchemas       = map[string]*hcl.BodySchema{"station": stationSchema, "token": tokenSchema, "output": outputSchema}
	evseSchema        = &hcl.BodySchema{Attributes: attributes("connector_types")}
	reservationSchema = &hcl.BodySchema{
		Attributes: attributes("for_each", "count", "!station", "evse_id", "connector_type",
			"!id_token", "group_id_token", "expiry_date_time", "hold_for"),
		Blocks: []hcl.BlockHeaderSchema{block("schedule"), block("window"), block("activation"), block("lifecycle"), block(dynamicBlock, "type")},
	}
	movedSchema   = &hcl.BodySchema{Attributes: attributes("!from", "!to")}
	removedSchema = &hcl.BodySchema{Attributes: attributes("!from", "cancel")}
	importSchema  = &hcl.BodySchema{Attributes: attributes("!to", "!station", "!reservation_id")}
	nestedSchemas = map[string]*hcl.BodySchema{
		"schedule":   {Attributes: attributes("!time_zone", "days", "rrule", "start_date", "!start_time", "!end_time", "except_dates")},
		"window":     {Attributes: attributes("!start_date_time", "!expiry_date_time")},
		"activation": {Attributes: attributes("lead_time", "no_show_after")},
		"lifecycle": {Attributes: attributes("prevent_cancel", "on_removed", "on_used"),
			Blocks: []hcl.BlockHeaderSchema{block("precondition"), block(dynamicBlock, "type")}},
	}
)
