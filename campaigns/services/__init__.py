from campaigns.services.ad_groups import change_ad_group, create_ad_group, delete_ad_group
from campaigns.services.ads import change_ad, create_ad, delete_ad
from campaigns.services.campaigns import change_campaign, create_campaign, delete_campaign

__all__ = [
    "change_ad",
    "change_ad_group",
    "change_campaign",
    "create_ad",
    "create_ad_group",
    "create_campaign",
    "delete_ad",
    "delete_ad_group",
    "delete_campaign",
]
