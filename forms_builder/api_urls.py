from django.urls import path

from forms_builder import api

urlpatterns = [
    path("ad-accounts/<int:ad_account_id>/forms/", api.AccountForms.as_view(), name="api_account_forms"),
    path("forms/<int:form_id>/", api.OneForm.as_view(), name="api_form"),
    path("forms/<int:form_id>/publish/", api.Publish.as_view(), name="api_form_publish"),
    path("forms/<int:form_id>/archive/", api.Archive.as_view(), name="api_form_archive"),
    path("forms/<int:form_id>/restore/", api.Restore.as_view(), name="api_form_restore"),
    path("forms/<int:form_id>/duplicate/", api.Duplicate.as_view(), name="api_form_duplicate"),
    path("forms/<int:form_id>/versions/", api.Versions.as_view(), name="api_form_versions"),
    path("forms/<int:form_id>/versions/<int:number>/approve/", api.Approve.as_view(), name="api_form_approve"),
    path("forms/<int:form_id>/versions/<int:number>/reject/", api.Reject.as_view(), name="api_form_reject"),
]
