from django.urls import path

from leads.intake import views

pages = [path("f/<str:public_id>/", views.form_page, name="public_form")]

api = [
    path("public/forms/<str:public_id>/", views.published, name="public_form_api"),
    path("public/forms/<str:public_id>/submissions/", views.submissions, name="public_submissions"),
    path("public/forms/<str:public_id>/measures/", views.count, name="public_measures"),
]
