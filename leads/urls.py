from leads.center import page_urls, transfers_urls
from leads.center import urls as center
from leads.crm import urls as crm
from leads.exports import urls as exports
from leads.imports import urls as imports
from leads.intake import urls as intake
from leads.marketing_api import urls as marketing_api

pages = [*intake.pages, *page_urls.pages, *imports.pages]
api = [*intake.api, *crm.api, *exports.api, *center.api, *imports.api, *transfers_urls.api]
marketing = [*marketing_api.marketing]
