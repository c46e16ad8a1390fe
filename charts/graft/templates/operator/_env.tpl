{{/* Every field of graft_operator.settings.Settings but the address of the health server. */}}
{{- define "graft.env" -}}
- name: GRAFT_OPERATOR_IDENTITY
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: GRAFT_OPERATOR_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
{{- range $name, $value := fromYaml (include "graft.settings" .) }}
- name: GRAFT_OPERATOR_{{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "graft.settings" -}}
NAMESPACES: {{ join "," .Values.namespaces | quote }}
LEADER_ELECTION: {{ .Values.leaderElection | toString | quote }}
HEALTH_PORT: "8080"
LOG_LEVEL: {{ .Values.logLevel | quote }}
{{- with .Values.worker }}
WORKER_IMAGE: {{ include "graft.image" (list $ .image) | quote }}
IMAGE_PULL_POLICY: {{ .image.pullPolicy | quote }}
IMAGE_PULL_SECRETS: {{ join "," .imagePullSecrets | quote }}
SERVICE_ACCOUNT: {{ .serviceAccount | quote }}
GRACE_SECONDS: {{ .graceSeconds | toString | quote }}
COLLECTIVE_SECONDS: {{ .collectiveSeconds | toString | quote }}
KEEP_ALIVE_SECONDS: {{ .keepAliveSeconds | toString | quote }}
KEEP_ALIVE_ATTEMPTS: {{ .keepAliveAttempts | toString | quote }}
{{- end }}
SERVE_IMAGE: {{ include "graft.image" (list . .Values.serve.image) | quote }}
PROMETHEUS: {{ .Values.serve.prometheus | quote }}
GATEWAY: {{ .Values.serve.gateway | toString | quote }}
{{- with .Values.store }}
STORE_CLAIM: {{ .claim | quote }}
STORE_CREATE: {{ and .create (not .s3.uri) | ternary (include "graft.claim" . | fromYaml | toJson) "" | quote }}
STORE_URI: {{ .s3.uri | quote }}
STORE_SECRET: {{ .s3.secretName | quote }}
STORE_SCRATCH: {{ .s3.scratch | quote }}
{{- end }}
CONTROL_KEY_FILE: /etc/graft/control/key
{{- with .Values.reconcile }}
THREADS: {{ .threads | toString | quote }}
REQUESTS_PER_SECOND: {{ .requestsPerSecond | toString | quote }}
RESYNC_SECONDS: {{ .resyncSeconds | toString | quote }}
PROGRESS_SECONDS: {{ .progressSeconds | toString | quote }}
STATUS_SECONDS: {{ .statusSeconds | toString | quote }}
STATUS_WRITES_PER_SECOND: {{ .statusWritesPerSecond | toString | quote }}
{{- end }}
{{- end -}}

{{/* Spec of a claim of the store. */}}
{{- define "graft.claim" -}}
accessModes: {{ toJson .accessModes }}
resources: {requests: {storage: {{ .size | quote }}}}
{{- if .storageClassName }}
storageClassName: {{ eq .storageClassName "-" | ternary "" .storageClassName | quote }}
{{- end }}
{{- end -}}
