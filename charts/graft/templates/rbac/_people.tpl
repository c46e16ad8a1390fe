{{/* What people may do with jobs, whose roles are aggregated to the usual ones. */}}
{{- define "graft.editorRules" -}}
- apiGroups: [graft.dev]
  resources: [pretrainjobs, transferjobs, distilljobs, servedeployments]
  verbs: [get, list, watch, create, update, patch, delete, deletecollection]
- apiGroups: [graft.dev]
  resources: [pretrainjobs/scale, transferjobs/scale, distilljobs/scale, servedeployments/scale]
  verbs: [get, update, patch]
- apiGroups: [graft.dev]
  resources: [pretrainjobs/status, transferjobs/status, distilljobs/status, servedeployments/status]
  verbs: [get]
{{- end -}}

{{- define "graft.viewerRules" -}}
- apiGroups: [graft.dev]
  resources: [pretrainjobs, transferjobs, distilljobs, servedeployments]
  verbs: [get, list, watch]
- apiGroups: [graft.dev]
  resources: [pretrainjobs/status, transferjobs/status, distilljobs/status, servedeployments/status]
  verbs: [get]
- apiGroups: [graft.dev]
  resources: [pretrainjobs/scale, transferjobs/scale, distilljobs/scale, servedeployments/scale]
  verbs: [get]
{{- end -}}
