{{/* What a schema cannot say; the message says what to do. */}}
{{- define "graft.checks" -}}
{{- if and (not .Values.leaderElection) (gt (int .Values.replicas) 1) -}}
{{- fail "leaderElection: false lets all replicas act at once; set replicas: 1 or leaderElection: true" -}}
{{- end -}}
{{- if and .Values.store.s3.secretName (not .Values.store.s3.uri) -}}
{{- fail "store.s3.secretName is given without store.s3.uri; set store.s3.uri: s3://bucket/prefix too" -}}
{{- end -}}
{{- if and .Values.store.s3.scratch (not .Values.store.s3.uri) -}}
{{- fail "store.s3.scratch is given without store.s3.uri; set store.s3.uri: s3://bucket/prefix too" -}}
{{- end -}}
{{- end -}}
