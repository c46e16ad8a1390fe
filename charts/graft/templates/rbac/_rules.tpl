{{/* What the operator may do where jobs run; compared with graft_operator.cluster.permissions. */}}
{{- define "graft.rules" -}}
- apiGroups: [graft.dev]
  resources: [pretrainjobs, transferjobs, distilljobs]
  # Delete: finished jobs go when their time to live has passed.
  verbs: [get, list, watch, delete]
- apiGroups: [graft.dev]
  resources: [servedeployments]
  verbs: [get, list, watch]
- apiGroups: [graft.dev]
  resources: [pretrainjobs/status, transferjobs/status, distilljobs/status, servedeployments/status]
  verbs: [patch]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, create, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [get, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
# What serves models; a canary, a budget and an autoscaler go when they are wanted no more.
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, create, patch, delete]
{{- if .Values.serve.prometheus }}
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if .Values.serve.gateway }}
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, create, patch, delete]
{{- end }}
{{- if and .Values.store.create (not .Values.store.s3.uri) }}
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, create]
{{- end }}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
# Why a pod does not start.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
{{- if .Values.kueue.enabled }}
- apiGroups: [kueue.x-k8s.io]
  resources: [workloads]
  verbs: [get, list, patch]
{{- end }}
{{- end -}}

{{/* The service account of the operator, as subjects of a binding. */}}
{{- define "graft.subjects" -}}
- kind: ServiceAccount
  name: {{ include "graft.fullname" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
