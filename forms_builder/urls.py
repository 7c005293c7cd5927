from django.urls import path, re_path

from forms_builder import views

FORM = r"^a/(?P<ad_account_id>[0-9]{1,19})/forms/(?P<form_id>[0-9]{1,19})/"
VERSION = "a/<int:ad_account_id>/forms/<int:form_id>/versions/<int:number>/"

urlpatterns = [
    path("a/<int:ad_account_id>/forms/", views.forms, name="forms"),
    path("a/<int:ad_account_id>/forms/new/", views.new, name="form_new"),
    path("a/<int:ad_account_id>/forms/<int:form_id>/", views.form, name="form"),
    path("a/<int:ad_account_id>/forms/<int:form_id>/review/", views.review, name="form_review"),
    path("a/<int:ad_account_id>/forms/<int:form_id>/preview/", views.preview, name="form_preview"),
    re_path(FORM + r"(?P<step>content|questions|privacy|ending)/$", views.step, name="form_step"),
    re_path(FORM + r"(?P<verb>publish|archive|restore|duplicate|delete)/$", views.act, name="form_act"),
    path(VERSION + "approve/", views.decide, {"verb": "approve"}, name="form_approve"),
    path(VERSION + "reject/", views.decide, {"verb": "reject"}, name="form_reject"),
]
